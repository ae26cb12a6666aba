// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

// Tests reach into C structures and spawn programs; they are not held to strict memory safety.
let tested: [SwiftSetting] = [
    .treatAllWarnings(as: .error)
]

let carefulC: [CSetting] = [
    .treatAllWarnings(as: .error)
]

// From the bottom up: each names only those before it.
let layers = [
    "TreadleBase", "TreadleModel", "TreadleConfiguration", "TreadleData", "TreadleEngine", "TreadleRun", "TreadleTools",
]

/// All layers where `layer` is none of them.
func layers(below layer: String) -> [Target.Dependency] {
    layers.prefix { $0 != layer }.map { .target(name: $0) }
}

/// What tests a layer knows no other above it, and is built while those above it still are.
func tests(of layer: String, with others: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: layer + "Tests", dependencies: layers(below: layer) + [.target(name: layer), "TestSupport"] + others,
        swiftSettings: tested)
}

/// What spawns the program needs it to run, and not to be compiled.
func testsOfProgram(_ name: String) -> Target {
    .testTarget(
        name: name, dependencies: layers(below: "Treadle") + ["HDF5", "TestSupport", "RunTestSupport"],
        swiftSettings: tested)
}

let package = Package(
    name: "Treadle",
    products: [
        .executable(name: "treadle", targets: ["TreadleCLI"]),
        .library(name: "Treadle", targets: ["Treadle"]),
    ],
    traits: [
        .trait(name: "MPI", description: "Training on several processes and machines, under mpirun or Slurm.")
    ],
    targets: [
        .systemLibrary(
            name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(name: "CHDF5Shims", dependencies: ["CHDF5", "CDecode"], cSettings: carefulC),
        .target(name: "CKernels", cSettings: carefulC),
        .target(name: "CSystem", cSettings: carefulC),
        .systemLibrary(name: "CDeflate", pkgConfig: "libdeflate", providers: [.apt(["libdeflate-dev"])]),
        .systemLibrary(name: "CLZF", pkgConfig: "liblzf", providers: [.apt(["liblzf-dev"])]),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
        .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CBlosc", pkgConfig: "blosc", providers: [.apt(["libblosc-dev"])]),
        .target(
            name: "CDecode", dependencies: ["CDeflate", "CLZF", "CLZ4", "CZstd", "CBlosc", "CKernels"],
            cSettings: carefulC),
        .systemLibrary(name: "CMPI", pkgConfig: "mpi-c", providers: [.apt(["libopenmpi-dev"])]),
        // Without the trait it is the one-process form, and nothing of MPI is looked at.
        .target(
            name: "CMPIShims", dependencies: [.target(name: "CMPI", condition: .when(traits: ["MPI"]))],
            cSettings: carefulC + [.define("TREADLE_MPI", .when(traits: ["MPI"]))]),
        .target(name: "HDF5", dependencies: ["CHDF5Shims", "CDecode"], swiftSettings: strict),
        .target(
            name: "TreadleBase", dependencies: ["HDF5", "CKernels", "CSystem", "CMPIShims"], swiftSettings: strict),
        .target(
            name: "TreadleModel", dependencies: layers(below: "TreadleModel") + ["CKernels"], swiftSettings: strict),
        .target(
            name: "TreadleConfiguration", dependencies: layers(below: "TreadleConfiguration"), swiftSettings: strict),
        .target(
            name: "TreadleData", dependencies: layers(below: "TreadleData") + ["HDF5", "CDecode", "CZlib"],
            swiftSettings: strict),
        .target(
            name: "TreadleEngine", dependencies: layers(below: "TreadleEngine") + ["CKernels", "CSystem", "CMPIShims"],
            swiftSettings: strict),
        .target(
            name: "TreadleRun", dependencies: layers(below: "TreadleRun") + ["HDF5", "CKernels", "CDecode"],
            swiftSettings: strict),
        .target(
            name: "TreadleTools", dependencies: layers(below: "TreadleTools") + ["HDF5", "CZlib"],
            swiftSettings: strict),
        .target(name: "Treadle", dependencies: layers(below: "Treadle"), swiftSettings: strict),
        .executableTarget(
            name: "TreadleCLI", dependencies: layers(below: "Treadle") + ["HDF5", "CSystem"], swiftSettings: strict),
        .executableTarget(
            name: "TreadleBenchmarks", dependencies: layers(below: "Treadle") + ["Treadle", "HDF5", "CKernels"],
            swiftSettings: strict),
        .target(name: "CAllocations", path: "Tests/CAllocations", cSettings: carefulC),
        .target(name: "CForms", dependencies: ["CHDF5Shims"], path: "Tests/CForms", cSettings: carefulC),
        .target(
            name: "TestSupport", dependencies: layers(below: "TreadleData") + ["CForms", "CKernels", "CMPIShims"],
            path: "Tests/TestSupport", swiftSettings: tested),
        .target(
            name: "RunTestSupport", dependencies: layers(below: "TreadleTools") + ["TestSupport"],
            path: "Tests/RunTestSupport", swiftSettings: tested),
        .testTarget(name: "HDF5Tests", dependencies: ["HDF5", "TestSupport"], swiftSettings: tested),
        tests(of: "TreadleBase", with: ["CKernels", "CSystem"]),
        tests(of: "TreadleModel", with: ["CKernels"]),
        tests(of: "TreadleConfiguration"),
        tests(of: "TreadleData", with: ["HDF5", "CDecode"]),
        tests(of: "TreadleEngine", with: ["CKernels", "CAllocations"]),
        tests(of: "TreadleRun", with: ["HDF5", "CKernels", "RunTestSupport"]),
        tests(of: "TreadleTools", with: ["HDF5", "RunTestSupport"]),
        .testTarget(
            name: "TreadleCLITests", dependencies: layers(below: "Treadle") + ["TreadleCLI", "TestSupport"],
            swiftSettings: tested),
        testsOfProgram("ProgramTests"),
        testsOfProgram("FaultTests"),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu17
)

// The readers of bytes that anyone may have written, as libFuzzer targets: for Scripts/fuzz, which has that library.
if Context.environment["TREADLE_FUZZ"] != nil {
    package.targets += [
        .systemLibrary(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"),
        .executableTarget(
            name: "FuzzReaders",
            dependencies: layers(below: "TreadleTools") + ["CFuzzer", "HDF5"],
            path: "Tests/Fuzz/Readers", swiftSettings: tested),
    ]
}
