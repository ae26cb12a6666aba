internal import Foundation
internal import Glibc
package import TreadleBase

/// Paths as the configuration writes them.
extension Configuration {
    /// The path that `written` means: absolute, under `~`, or from the configuration's directory.
    package func path(_ written: String) -> String {
        PathResolution.resolve(written, in: baseDirectory)
    }

    /// The files of a source in order: what a pattern matches, in the order of its bytes.
    ///
    /// Files that are named without a pattern need not exist.
    package func files(of source: DataSource) throws(TreadleError) -> [String] {
        try PathResolution.files(source.files, in: baseDirectory)
    }
}

package enum PathResolution {
    package static func resolve(_ written: String, in directory: String) -> String {
        if written.hasPrefix("/") { return written }
        if written.hasPrefix("~") {
            let expanded = NSString(string: written).expandingTildeInPath
            if expanded.hasPrefix("/") { return expanded }
        }
        var relative = Substring(written)
        while relative.hasPrefix("./") { relative = relative.dropFirst(2).drop { $0 == "/" } }
        // "configs/../runs" is "runs" to a reader; not so where "configs" is a link to elsewhere.
        var directory = directory
        while relative.hasPrefix("../"), let slash = directory.lastIndex(of: "/"), slash > directory.startIndex,
            !directory.hasSuffix("/"), !directory.hasSuffix("/.."),
            (try? FileManager.default.destinationOfSymbolicLink(atPath: directory)) == nil
        {
            directory = String(directory[..<slash])
            relative = relative.dropFirst(3).drop { $0 == "/" }
        }
        guard !relative.isEmpty, relative != "." else { return directory }
        return directory.hasSuffix("/") ? directory + relative : "\(directory)/\(relative)"
    }

    package static func files(_ patterns: [String], in directory: String) throws(TreadleError) -> [String] {
        var files: [String] = []
        for pattern in patterns {
            let path = resolve(pattern, in: directory)
            // A file may have brackets in its very name.
            guard pattern.contains(where: "*?[".contains), !FileManager.default.fileExists(atPath: path) else {
                files.append(path)
                continue
            }
            let isAbsolute = path == pattern || pattern.hasPrefix("~")
            let matches = try FilePattern.matches(of: isAbsolute ? path : pattern, in: isAbsolute ? "/" : directory)
            guard !matches.isEmpty else {
                let place = isAbsolute ? "" : " in \(directory)"
                throw TreadleError(
                    .noInput, "no file matches \"\(pattern)\"\(place); check the pattern and the directory")
            }
            files += matches
        }
        return files
    }
}

/// Matches names as a shell does: `*`, `?`, `[a-z]`, `[!a-z]`; a leading dot only by a dot.
enum FilePattern {
    /// The paths that exist and match, in the order of their bytes.
    static func matches(of pattern: String, in directory: String) throws(TreadleError) -> [String] {
        var paths = [directory]
        let parts = pattern.split(separator: "/").map(String.init)
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            var found: [String] = []
            for path in paths {
                let names = part.contains(where: "*?[".contains) ? try names(in: path, matching: part) : [part]
                for candidate in names.map({ path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" })
                where try isFile(candidate) == isLast { found.append(candidate) }
            }
            paths = found
        }
        return paths.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// A directory that cannot be listed is an error: its files would be missing without a word.
    private static func names(in directory: String, matching pattern: String) throws(TreadleError) -> [String] {
        let names: [String]
        do {
            names = try FileSystem.names(in: directory)
        } catch {
            throw error as? TreadleError ?? TreadleError(.inputOutput, "\(directory): \(error)")
        }
        return names.filter { name in
            (!name.hasPrefix(".") || pattern.hasPrefix(".")) && matches(name, pattern)
        }
    }

    private static func isFile(_ path: String) throws(TreadleError) -> Bool? {
        var status = stat()
        guard unsafe stat(path, &status) != 0 else { return status.st_mode & S_IFMT != S_IFDIR }
        // A link to nowhere matches nothing; what cannot be looked at may be a file that counts.
        guard [ENOENT, ENOTDIR, ELOOP].contains(errno) else { throw TreadleError.reading(path, "stat", errno) }
        return nil
    }

    /// Whether a name without slashes matches.
    static func matches(_ name: String, _ pattern: String) -> Bool {
        let name = Array(name.unicodeScalars)
        let pattern = Array(pattern.unicodeScalars)
        var n = 0
        var p = 0
        // Where to go on when what follows the last star does not fit.
        var retry: (name: Int, pattern: Int)?
        while n < name.count || p < pattern.count {
            if p < pattern.count, pattern[p] == "*" {
                retry = (n + 1, p)
                p += 1
            } else if n < name.count, p < pattern.count, let next = step(name[n], pattern, p) {
                n += 1
                p = next
            } else if let last = retry, last.name <= name.count {
                n = last.name
                p = last.pattern
            } else {
                return false
            }
        }
        return true
    }

    /// The index after the element of the pattern at `index`, if that takes the scalar.
    private static func step(_ scalar: Unicode.Scalar, _ pattern: [Unicode.Scalar], _ index: Int) -> Int? {
        switch pattern[index] {
        case "?": return index + 1
        case "[":
            var i = index + 1
            let isNegated = i < pattern.count && (pattern[i] == "!" || pattern[i] == "^")
            if isNegated { i += 1 }
            let first = i
            var isMember = false
            while i < pattern.count, pattern[i] != "]" || i == first {
                if i + 2 < pattern.count, pattern[i + 1] == "-", pattern[i + 2] != "]" {
                    isMember = isMember || (pattern[i] <= scalar && scalar <= pattern[i + 2])
                    i += 3
                } else {
                    isMember = isMember || pattern[i] == scalar
                    i += 1
                }
            }
            // A bracket that is never closed is itself.
            guard i < pattern.count else { return scalar == "[" ? index + 1 : nil }
            return isMember != isNegated ? i + 1 : nil
        default: return pattern[index] == scalar ? index + 1 : nil
        }
    }
}
