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
        // The layers, from the bottom up: each names only those above it in this list.
        .target(
            name: "TreadleBase", dependencies: ["HDF5", "CKernels", "CSystem", "CMPIShims"], swiftSettings: strict),
        .target(name: "TreadleModel", dependencies: ["TreadleBase", "CKernels"], swiftSettings: strict),
        .target(name: "TreadleConfiguration", dependencies: ["TreadleBase", "TreadleModel"], swiftSettings: strict),
        .target(
            name: "TreadleData",
            dependencies: ["TreadleBase", "TreadleModel", "TreadleConfiguration", "HDF5", "CDecode", "CZlib"],
            swiftSettings: strict),
        .target(
            name: "TreadleEngine",
            dependencies: [
                "TreadleBase", "TreadleModel", "TreadleConfiguration", "TreadleData", "CKernels", "CSystem",
                "CMPIShims",
            ], swiftSettings: strict),
        .target(
            name: "TreadleRun",
            dependencies: [
                "TreadleBase", "TreadleModel", "TreadleConfiguration", "TreadleData", "TreadleEngine", "HDF5",
                "CKernels",
                "CDecode",
            ], swiftSettings: strict),
        .target(
            name: "TreadleTools",
            dependencies: [
                "TreadleBase", "TreadleModel", "TreadleConfiguration", "TreadleData", "TreadleRun", "HDF5", "CZlib",
            ], swiftSettings: strict),
        .target(
            name: "Treadle",
            dependencies: [
                "TreadleBase", "TreadleModel", "TreadleConfiguration", "TreadleData", "TreadleEngine", "TreadleRun",
                "TreadleTools",
            ], swiftSettings: strict),
        .executableTarget(
            name: "TreadleCLI",
            dependencies: [
                "TreadleBase", "TreadleModel", "TreadleConfiguration", "TreadleData", "TreadleEngine", "TreadleRun",
                "TreadleTools", "HDF5", "CSystem",
            ], swiftSettings: strict),
        .executableTarget(
            name: "TreadleBenchmarks",
            dependencies: [
                "Treadle", "TreadleBase", "TreadleModel", "TreadleConfiguration", "TreadleData", "TreadleEngine",
                "TreadleRun",
                "HDF5",
                "CKernels",
            ], swiftSettings: strict),
        .target(name: "CAllocations", path: "Tests/CAllocations", cSettings: carefulC),
        .target(
            name: "TestSupport", dependencies: ["TreadleBase", "TreadleModel", "TreadleConfiguration", "CKernels"],
            path: "Tests/TestSupport", swiftSettings: tested),
        .target(
            name: "RunTestSupport", dependencies: ["TreadleBase", "TreadleModel", "TreadleData", "TreadleRun"],
            path: "Tests/RunTestSupport", swiftSettings: tested),
        .testTarget(name: "HDF5Tests", dependencies: ["HDF5", "TestSupport"], swiftSettings: tested),
        .testTarget(
            name: "TreadleBaseTests",
            dependencies: ["TreadleBase", "CKernels", "CSystem", "TestSupport"],
            swiftSettings: tested),
        .testTarget(
            name: "TreadleConfigurationTests",
            dependencies: ["TreadleBase", "TreadleModel", "TreadleConfiguration", "TestSupport"],
            swiftSettings: tested),
        .testTarget(
            name: "TreadleDataTests",
            dependencies: [
                "TreadleBase", "TreadleModel", "TreadleConfiguration", "TreadleData", "HDF5", "CDecode", "TestSupport",
            ],
            swiftSettings: tested),
        .testTarget(
            name: "TreadleEngineTests",
            dependencies: [
                "TreadleBase", "TreadleModel", "TreadleConfiguration", "TreadleData", "TreadleEngine", "CKernels",
                "CAllocations", "TestSupport",
            ],
            swiftSettings: tested),
        .testTarget(
            name: "TreadleRunTests",
            dependencies: [
                "TreadleBase", "TreadleModel", "TreadleConfiguration", "TreadleData", "TreadleEngine", "TreadleRun",
                "HDF5", "CKernels", "RunTestSupport", "TestSupport",
            ],
            swiftSettings: tested),
        .testTarget(
            name: "TreadleToolsTests",
            dependencies: [
                "TreadleBase", "TreadleModel", "TreadleConfiguration", "TreadleData", "TreadleRun", "TreadleTools",
                "HDF5", "RunTestSupport", "TestSupport",
            ],
            swiftSettings: tested),
        .testTarget(
            name: "ProgramTests",
            dependencies: [
                "TreadleCLI", "TreadleBase", "TreadleModel", "TreadleConfiguration", "TreadleData", "TreadleEngine",
                "TreadleRun",
                "TreadleTools", "HDF5", "TestSupport",
            ], swiftSettings: tested),
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
            dependencies: [
                "CFuzzer", "TreadleBase", "TreadleModel", "TreadleConfiguration", "TreadleData", "TreadleRun", "HDF5",
            ],
            path: "Tests/Fuzz/Readers", swiftSettings: tested),
    ]
}
