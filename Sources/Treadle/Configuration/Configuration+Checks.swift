extension Configuration {
    /// Reports what is wrong between keys that are right each by itself.
    func check(_ root: JSON5Node, _ problems: inout Problems) {
    }
}
