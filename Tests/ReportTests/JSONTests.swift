import Foundation
import Testing

@testable import Report

@Suite struct JSONTests {
    @Test func `Commas separate members and elements at every level`() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("a")
        writer.beginArray()
        writer.value(1)
        writer.beginArray()
        writer.endArray()
        writer.null()
        writer.endArray()
        writer.key("b")
        writer.beginObject()
        writer.endObject()
        writer.key("c")
        writer.value(true)
        writer.endObject()
        #expect(writer.bytes.text == "{\"a\":[1,[],null],\"b\":{},\"c\":true}")
    }

    @Test func `Quotes, backslashes and control characters are escaped`() {
        #expect(
            JSONValue.string("a\"b\\c/\u{8}\u{9}\u{A}\u{C}\u{D}\u{0}\u{1F}\u{7F}é\u{1F600}").compact
                == "\"a\\\"b\\\\c/\\b\\t\\n\\f\\r\\u0000\\u001f\\u007fé\u{1F600}\"")
    }

    @Test func `A JSON parser reads every character as it was written, in keys and values`() throws {
        let text = String(String.UnicodeScalarView((0..<0x3000).compactMap(Unicode.Scalar.init)))
        let json = JSONValue.object([(key: text, value: .string(text))]).compact
        let object = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: String]
        #expect(object?.first?.key == text)
        #expect(object?.first?.value == text)
    }

    @Test func `Integers keep all their digits`() {
        #expect(JSONValue.integer(.min).compact == "-9223372036854775808")
        #expect(JSONValue.integer(.max).compact == "9223372036854775807")
        #expect(JSONValue.unsigned(.max).compact == "18446744073709551615")
    }

    @Test(arguments: [0, -0.5, 1e300, 5e-300, 0.1, 1e16, -123_456.789])
    func `Numbers are valid, and are read as they were written`(number: Double) throws {
        let object = try JSONSerialization.jsonObject(with: Data("[\(JSONValue.number(number).compact)]".utf8))
        #expect((object as? [Double])?.first == number)
    }

    @Test(arguments: [Double.infinity, -.infinity, .nan])
    func `A number that is not finite is null`(number: Double) {
        #expect(JSONValue.number(number).compact == "null")
    }

    @Test func `Missing values are null`() {
        var writer = JSONWriter()
        writer.beginArray()
        writer.value(nil as Int64?)
        writer.value(nil as UInt8?)
        writer.value(nil as String?)
        writer.endArray()
        #expect(writer.bytes.text == "[null,null,null]")
    }

    @Test func `Objects keep the order of their keys`() {
        let value = JSONValue.object([("z", .null), ("a", .bool(false)), ("m", .array([.string("x"), .integer(-1)]))])
        #expect(value.compact == "{\"z\":null,\"a\":false,\"m\":[\"x\",-1]}")
    }

    @Test func `Indented output has one member per line, and closes empty ones at once`() {
        let value = JSONValue.object([
            ("a", .array([.integer(1), .object([("b", .null)])])), ("c", .array([])), ("d", .object([])),
        ])
        #expect(
            value.pretty == """
                {
                  "a": [
                    1,
                    {
                      "b": null
                    }
                  ],
                  "c": [],
                  "d": {}
                }
                """)
    }
}

@Suite struct RunDescriptionTests {
    @Test func `The facts of a run are exact to the byte`() {
        var run = RunDescription()
        run.set(version: "1.0")
        run.set(host: "a\"b")
        run.set(kernel: "6.12")
        run.set(interface: "eth0")
        run.set(session: 0xABC)
        run.set(started: sampleTime)
        run.set(options: [("rate", .integer(1000)), ("timeout", .string("2s"))])
        run.set(clockSynchronized: true, maxError: 1500, estimatedError: nil)
        run.set(peers: [[("address", .string("192.0.2.2"))]])
        run.set("note", .bool(true))
        #expect(
            run.json() == """
                {
                  "version": "1.0",
                  "host": "a\\"b",
                  "kernel": "6.12",
                  "interface": "eth0",
                  "session": "0000000000000abc",
                  "started_ns": 1795256040123456789,
                  "started": "2026-11-21T10:14:00.123456789Z",
                  "options": {
                    "rate": 1000,
                    "timeout": "2s"
                  },
                  "clock": {
                    "synchronized": true,
                    "max_error_ns": 1500,
                    "est_error_ns": null
                  },
                  "peers": [
                    {
                      "address": "192.0.2.2"
                    }
                  ],
                  "note": true
                }

                """)
    }

    @Test func `A fact that is set again keeps its place`() {
        var run = RunDescription()
        run.set(host: "a")
        run.set(kernel: "k")
        run.set(host: "b")
        #expect(run.json() == "{\n  \"host\": \"b\",\n  \"kernel\": \"k\"\n}\n")
    }

    @Test func `A description without facts is an empty object`() {
        #expect(RunDescription().json() == "{}\n")
    }
}
