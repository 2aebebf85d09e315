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
        .library(name: "STAMPSession", targets: ["STAMPSession"]),
        .library(name: "STAMPWire", targets: ["STAMPWire"]),
        .library(name: "LinuxKernel", targets: ["LinuxKernel"]),
        .library(name: "HostClocks", targets: ["HostClocks"]),
        .library(name: "NetworkAddresses", targets: ["NetworkAddresses"]),
        .library(name: "Report", targets: ["Report"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
    ],
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
        .target(name: "NetworkAddresses", swiftSettings: settings),
        .target(name: "LinuxKernel", dependencies: ["CLinux", "NetworkAddresses"], swiftSettings: settings),
        .target(name: "STAMPWire", dependencies: ["NetworkAddresses"], swiftSettings: settings),
        .target(
            name: "FastAFPacket", dependencies: ["LinuxKernel", "CLinux", "CPcap", "NetworkAddresses"],
            swiftSettings: settings),
        .target(name: "HostClocks", dependencies: ["LinuxKernel", "CLinux"], swiftSettings: settings),
        .target(name: "Netlink", dependencies: ["LinuxKernel", "CLinux", "NetworkAddresses"], swiftSettings: settings),
        .target(
            name: "PSample", dependencies: ["Netlink", "LinuxKernel", "CLinux", "NetworkAddresses"],
            swiftSettings: settings),
        .target(
            name: "Conntrack", dependencies: ["Netlink", "LinuxKernel", "CLinux", "NetworkAddresses"],
            swiftSettings: settings),
        .target(
            name: "Report", dependencies: ["NetworkAddresses"], swiftSettings: settings),
        .target(
            name: "STAMPSession", dependencies: ["STAMPWire", "Report", "NetworkAddresses"], swiftSettings: settings),
        .executableTarget(
            name: "probe",
            dependencies: [
                "NetworkAddresses", "LinuxKernel", "STAMPWire", "STAMPSession", "FastAFPacket", "HostClocks", "Netlink",
                "PSample",
                "Conntrack", "Report",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "stamp-exchange",
            dependencies: [
                "NetworkAddresses", "LinuxKernel", "STAMPWire", "FastAFPacket", "Netlink",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Examples/stamp-exchange", swiftSettings: settings),
        .executableTarget(
            name: "ring-capture",
            dependencies: [
                "LinuxKernel", "FastAFPacket", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Examples/ring-capture", swiftSettings: settings),
        .testTarget(name: "NetworkAddressesTests", dependencies: ["NetworkAddresses"], swiftSettings: settings),
        .testTarget(name: "LinuxKernelTests", dependencies: ["LinuxKernel"], swiftSettings: settings),
        .testTarget(name: "STAMPWireTests", dependencies: ["STAMPWire", "NetworkAddresses"], swiftSettings: settings),
        .testTarget(
            name: "STAMPSessionTests", dependencies: ["STAMPSession", "STAMPWire", "Report", "NetworkAddresses"],
            swiftSettings: settings),
        .testTarget(
            name: "FastAFPacketTests", dependencies: ["FastAFPacket", "LinuxKernel", "NetworkAddresses", "CLinux"],
            swiftSettings: settings),
        .testTarget(name: "HostClocksTests", dependencies: ["HostClocks", "LinuxKernel"], swiftSettings: settings),
        .testTarget(
            name: "NetlinkTests", dependencies: ["Netlink", "LinuxKernel", "NetworkAddresses"], swiftSettings: settings),
        .testTarget(
            name: "PSampleTests",
            dependencies: ["PSample", "Netlink", "LinuxKernel", "STAMPWire", "CLinux", "NetworkAddresses"],
            swiftSettings: settings),
        .testTarget(
            name: "ConntrackTests",
            dependencies: ["Conntrack", "Netlink", "LinuxKernel", "CLinux", "NetworkAddresses"],
            swiftSettings: settings),
        .testTarget(name: "ReportTests", dependencies: ["Report", "NetworkAddresses"], swiftSettings: settings),
        .testTarget(
            name: "ProbeTests",
            dependencies: [
                "probe", "LinuxKernel", "FastAFPacket", "HostClocks", "Netlink", "PSample", "Conntrack", "STAMPWire",
                "STAMPSession", "Report",
                "NetworkAddresses",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: settings),
        .testTarget(
            name: "LiveTests",
            dependencies: ["FastAFPacket", "Netlink", "LinuxKernel", "STAMPWire", "Report", "NetworkAddresses"],
            swiftSettings: settings),
    ]
)
