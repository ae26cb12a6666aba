extension String {
    /// This file name as one word of a shell's command line, quoted where it has to be, and never an option.
    package var shellWord: String {
        let name = hasPrefix("-") ? "./" + self : self
        let isPlain = name.unicodeScalars.allSatisfy { scalar in
            !scalar.isASCII || scalar.properties.isAlphabetic || "0123456789@%+=:,./-_".unicodeScalars.contains(scalar)
        }
        guard !isPlain || name.isEmpty else { return name }
        return "'" + name.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
