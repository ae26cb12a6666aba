/// A page that needs nothing else, and its parts. What is handed over is markup already.
enum HTMLPage {
    /// A wide one uses all the room that the window has.
    static func text(title: String, isWide: Bool = false, _ parts: [String]) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <title>\(title.markup)</title>
        <style>
        \(ReportStyle.text)
        \(Palette.style)
        </style>
        </head>
        <body>
        <main\(isWide ? " class=\"wide\"" : "")>
        \(parts.filter { !$0.isEmpty }.joined(separator: "\n"))
        </main>
        </body>
        </html>

        """
    }

    static func section(_ title: String, _ body: String) -> String {
        "<section>\n<h2>\(title)</h2>\n\(body)\n</section>"
    }

    /// What few readers look for: a line that a click or a key opens.
    static func folded(_ title: String, _ body: String, isOpen: Bool = false) -> String {
        "<details\(isOpen ? " open=\"\"" : "")><summary>\(title)</summary>\n\(body)\n</details>"
    }

    /// For those who listen to the page: the eye does without.
    static func unseen(_ text: String) -> String { "<span class=\"unseen\">\(text)</span>" }

    /// A table, of whose columns `numbers` stand to the right. It scrolls by itself, also by keyboard.
    ///
    /// Its name is for those who listen; what the eye sees says it already. Where it `wraps`, long texts take several lines.
    static func table(
        _ name: String, _ head: [String], _ rows: [String], numbers: [Int], wraps: Bool = false
    ) -> String {
        let cells = head.enumerated().map { index, title in
            "<th scope=\"col\"\(numbers.contains(index) ? " class=\"n\"" : "")>\(title)</th>"
        }
        return scroll(
            name,
            "<table\(wraps ? " class=\"wraps\"" : "")><caption class=\"unseen\">\(name)</caption>"
                + "<thead><tr>\(cells.joined())</tr></thead>\n<tbody>\n\(rows.joined())</tbody></table>")
    }

    /// What may be wider than the window.
    static func scroll(_ name: String, _ body: String) -> String {
        "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"\(name)\">\(body)</div>"
    }

    /// Small tables side by side, as many as there is room for.
    static func beside(_ tables: [String]) -> String {
        let tables = tables.filter { !$0.isEmpty }
        return tables.count > 1 ? "<div class=\"tables\">\n\(tables.joined(separator: "\n"))\n</div>" : tables.joined()
    }

    /// A row, whose first cell says what it is about.
    static func row(_ cells: [String], numbers: [Int]) -> String {
        let parts = cells.enumerated().map { index, cell in
            guard index > 0 else { return "<th scope=\"row\">\(cell)</th>" }
            return numbers.contains(index) ? "<td class=\"n\">\(cell)</td>" : "<td>\(cell)</td>"
        }
        return "<tr>\(parts.joined())</tr>\n"
    }
}
