internal import HDF5
internal import TreadleBase
internal import TreadleModel

/// Which classes the numbers of a file mean, where it names its classes in another order than the data that it goes with, or
/// others.
struct ClassMatch {
    private let names: [String]
    private let known: [String]
    private let numbers: [Int?]

    /// Nil where the file's numbers are right as they are, or nobody can tell.
    init?(_ names: [String]?, as known: [String]?) {
        guard let names, let known, names != known else { return nil }
        let places = Dictionary(zip(known, known.indices)) { first, _ in first }
        self.names = names
        self.known = known
        numbers = names.map { places[$0] }
    }

    /// How many classes the file names.
    var count: Int { names.count }

    func number(of label: Int, _ subject: String) throws -> Int {
        if let number = numbers[label] { return number }
        let shown = known.prefix(5).map(\.printable).joined(separator: ", ")
        throw TreadleError(
            .badData,
            "\(subject): is of the class \"\(names[label].printable)\", which is none of the \(known.count) that are known (\(shown)\(known.count > 5 ? ", …" : "")); leave such rows out, or train with data that has it"
        )
    }
}

extension DataFile {
    /// Refuses labels that the file names in another order than `known`, or others: a column of y each.
    func checkLabels(_ known: [String]?, width: Int) throws {
        guard let known, known.count == width, let own = try names("/classes"), own.count == width, own != known else {
            return
        }
        let place = own.indices.first { own[$0] != known[$0] } ?? 0
        throw TreadleError(
            .badData,
            "\(path):/classes: label \(place) is \"\(own[place].printable)\", and \"\(known[place].printable)\" is due there; bring the columns of the targets into that order"
        )
    }

    /// Refuses a table whose target columns are called otherwise than those of `known`, or come in another order.
    func checkTargets(_ known: [String]) throws {
        guard !known.isEmpty, let own = try schema()?.targets.map(\.name), !own.isEmpty, own != known else { return }
        func list(_ names: [String]) -> String { names.map { "\"\($0.printable)\"" }.joined(separator: ", ") }
        throw TreadleError(
            .badData,
            "\(path): its targets are \(list(own)), and \(list(known)) are due in that order; import the table with these as --target"
        )
    }
}
