/// `treadle manual`: the man page.
enum ManualCommand {
    static let command = Command(
        "manual", group: .program,
        summary: "write the manual page to stdout",
        examples: [
            .init("treadle manual | man -l -", "read it"),
            .init("treadle manual > /usr/local/share/man/man1/treadle.1", "install it"),
        ],
        run: { call in
            try call.output.write(ManualPage(commands: CommandTable.all).text)
            return .done
        })
}
