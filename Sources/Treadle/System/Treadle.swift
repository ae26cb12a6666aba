/// The project's own version.
package enum Treadle {
    package static let version = "0.1.0"
}
