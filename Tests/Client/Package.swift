// swift-tools-version: 6.2
import PackageDescription

// A program of somebody else, which knows of this project what `import Treadle` gives.
let package = Package(
    name: "Client",
    traits: [.trait(name: "MPI", description: "Treadle's trait of that name.")],
    dependencies: [
        .package(name: "Treadle", path: "../..", traits: [.trait(name: "MPI", condition: .when(traits: ["MPI"]))])
    ],
    targets: [
        .executableTarget(
            name: "Client", dependencies: [.product(name: "Treadle", package: "Treadle")],
            swiftSettings: [.treatAllWarnings(as: .error), .enableUpcomingFeature("MemberImportVisibility")])
    ],
    swiftLanguageModes: [.v6]
)
