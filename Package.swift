// swift-tools-version: 6.2
import PackageDescription

// Swift 6 mode comes with the tools version. In CI a warning is an error.
let settings: [SwiftSetting] =
    [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])

let package = Package(
    name: "probe",
    products: [
        .executable(name: "probe", targets: ["probe"]),
        .library(name: "FastAFPacket", targets: ["FastAFPacket"]),
        .library(name: "Netlink", targets: ["Netlink"]),
        .library(name: "PSample", targets: ["PSample"]),
        .library(name: "Conntrack", targets: ["Conntrack"]),
        .library(name: "Wire", targets: ["Wire"]),
        .library(name: "Kernel", targets: ["Kernel"]),
        .library(name: "Clocks", targets: ["Clocks"]),
        .library(name: "Addresses", targets: ["Addresses"]),
        .library(name: "Report", targets: ["Report"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
    ],
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
        .target(name: "Addresses", swiftSettings: settings),
        .target(name: "Kernel", dependencies: ["CLinux", "Addresses"], swiftSettings: settings),
        .target(name: "Wire", dependencies: ["Addresses"], swiftSettings: settings),
        .target(
            name: "FastAFPacket", dependencies: ["Kernel", "CLinux", "CPcap", "Addresses"],
            swiftSettings: settings),
        .target(name: "Clocks", dependencies: ["Kernel", "CLinux"], swiftSettings: settings),
        .target(name: "Netlink", dependencies: ["Kernel", "CLinux", "Addresses"], swiftSettings: settings),
        .target(
            name: "PSample", dependencies: ["Netlink", "Kernel", "CLinux", "Addresses"], swiftSettings: settings),
        .target(
            name: "Conntrack", dependencies: ["Netlink", "Kernel", "CLinux", "Addresses"], swiftSettings: settings),
        .target(
            name: "Report", dependencies: [.product(name: "Histogram", package: "hdrhistogram-swift")],
            swiftSettings: settings),
        .executableTarget(
            name: "probe",
            dependencies: [
                "Addresses", "Kernel", "Wire", "FastAFPacket", "Clocks", "Netlink", "PSample", "Conntrack", "Report",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "stamp-exchange",
            dependencies: [
                "Addresses", "Kernel", "Wire", "FastAFPacket", "Netlink",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Examples/stamp-exchange", swiftSettings: settings),
        .executableTarget(
            name: "ring-capture",
            dependencies: [
                "Kernel", "FastAFPacket", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Examples/ring-capture", swiftSettings: settings),
        .testTarget(name: "AddressesTests", dependencies: ["Addresses"], swiftSettings: settings),
        .testTarget(name: "KernelTests", dependencies: ["Kernel"], swiftSettings: settings),
        .testTarget(name: "WireTests", dependencies: ["Wire", "Addresses"], swiftSettings: settings),
        .testTarget(
            name: "FastAFPacketTests", dependencies: ["FastAFPacket", "Kernel", "Addresses", "CLinux"],
            swiftSettings: settings),
        .testTarget(name: "ClocksTests", dependencies: ["Clocks", "Kernel"], swiftSettings: settings),
        .testTarget(name: "NetlinkTests", dependencies: ["Netlink", "Kernel", "Addresses"], swiftSettings: settings),
        .testTarget(
            name: "PSampleTests", dependencies: ["PSample", "Netlink", "Kernel", "Wire", "CLinux", "Addresses"],
            swiftSettings: settings),
        .testTarget(
            name: "ConntrackTests", dependencies: ["Conntrack", "Netlink", "Kernel", "CLinux", "Addresses"],
            swiftSettings: settings),
        .testTarget(name: "ReportTests", dependencies: ["Report"], swiftSettings: settings),
        .testTarget(
            name: "ProbeTests",
            dependencies: [
                "probe", "Kernel", "FastAFPacket", "Clocks", "Netlink", "PSample", "Conntrack", "Wire", "Report",
                "Addresses",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: settings),
        .testTarget(
            name: "LiveTests",
            dependencies: ["FastAFPacket", "Netlink", "Kernel", "Wire", "Report", "Addresses"],
            swiftSettings: settings),
    ]
)
