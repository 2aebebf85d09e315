// swift-tools-version: 6.2
import PackageDescription

// As in the main package: in CI a warning is an error.
let settings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

// A separate package, so that the benchmarks see no more of the libraries than other users do.
let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "probe", path: "..")],
    targets: [
        .executableTarget(
            name: "packets",
            dependencies: [
                .product(name: "NetworkAddresses", package: "probe"),
                .product(name: "FastAFPacket", package: "probe"),
                .product(name: "LinuxKernel", package: "probe"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "netlink",
            dependencies: [
                .product(name: "LinuxKernel", package: "probe"),
                .product(name: "Netlink", package: "probe"),
                .product(name: "PSample", package: "probe"),
            ],
            swiftSettings: settings),
    ]
)
