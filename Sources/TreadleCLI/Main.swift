internal import Treadle

@main
struct Main {
    static func main() {
        print("treadle \(Treadle.version)")
    }
}
