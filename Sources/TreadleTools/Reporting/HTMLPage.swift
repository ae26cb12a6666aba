/// A page that needs nothing else, and its parts. What is handed over is markup already.
enum HTMLPage {
    static func text(title: String, _ parts: [String]) -> String {
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
        <main>
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

    /// A table, of whose columns `numbers` stand to the right. It scrolls by itself, also by keyboard.
    static func table(_ head: [String], _ rows: [String], numbers: [Int]) -> String {
        let cells = head.enumerated().map { index, title in
            "<th scope=\"col\"\(numbers.contains(index) ? " class=\"n\"" : "")>\(title)</th>"
        }
        return "<div class=\"scroll\" tabindex=\"0\"><table><thead><tr>\(cells.joined())</tr></thead>\n<tbody>\n"
            + "\(rows.joined())</tbody></table></div>"
    }

    static func row(_ cells: [String], numbers: [Int]) -> String {
        let parts = cells.enumerated().map { index, cell in
            numbers.contains(index) ? "<td class=\"n\">\(cell)</td>" : "<td>\(cell)</td>"
        }
        return "<tr>\(parts.joined())</tr>\n"
    }
}
