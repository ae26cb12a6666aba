import Foundation
import TestSupport
import Testing
import TreadleBase
import TreadleRun
import RunTestSupport

/// Files whose digest is right and whose contents lie: whoever can write a file can also seal it.
@Suite(.enabled(if: Python.available, "TREADLE_PYTHON names no Python with h5py"))
struct HostileCheckpointTests {
    static let lies: [(change: String, words: String)] = [
        ("del f['treadle']", "no such object"),
        ("del f['model']", "no such object"),
        ("del f['model/dense/weight']", "no such object"),
        ("del f['treadle/config']", "no such object"),
        ("del f['treadle/cursor']", "no such object"),
        ("del f['treadle/progress']", "no such object"),
        ("del f['treadle/history/rate']", "no such object"),
        ("del f['treadle/optimizer/v/dense']", "no such object"),
        ("del f['treadle'].attrs['fingerprint']", "fingerprint"),
        ("del f['model/dense_1']", "not numbered from 0 without gaps"),
        ("f['model/dense'].attrs['index'] = -1", "not a count"),
        ("f['model/dense'].attrs['activation'] = 'system(\\x1b[31m)'", "which is none of identity, relu"),
        ("f['model/dense'].attrs['dropout'] = 1.0", "its dropout is 1.0"),
        ("f['treadle/cursor'].attrs['step'] = -5", "not a count"),
        ("f['treadle/cursor'].attrs['step'] = [1, 2]", "not a count"),
        ("f['treadle'].attrs['task'] = 'conquest'", "none of classification"),
        ("f['treadle'].attrs['precision'] = 'float64'", "is float32 of shape [4, 5], where float64"),
        ("replace('model/dense_1/weight', numpy.zeros((6, 3), 'f'))", "where the layer before has other units"),
        ("replace('model/dense/bias', numpy.zeros(6, 'f'))", "where float32 of shape [5] is due"),
        ("replace('model/dense/weight', numpy.zeros((4, 5), '>f4'))", "is due"),
        ("replace('model/dense/weight', numpy.float32(1))", "instead of inputs × units"),
        ("replace('treadle/optimizer/m/dense_2/weight', numpy.zeros((3, 3), 'f'))", "of shape [3, 2] is due"),
        ("replace('treadle/normalization/shift', numpy.zeros(5))", "where float64 of shape [4] is due"),
        ("replace('treadle/history/rate', numpy.zeros(2))", "where float64 of shape [3] is due"),
        ("replace('treadle/config', numpy.bytes_('{\"model\": {\"hidden\": []}}'))", "other layers than the file has"),
        ("replace('treadle/config', numpy.bytes_('nonsense'))", "is no resolved configuration"),
        // More than the file stores: never allocated, a petabyte in one case.
        ("claim('model/dense/weight', (1 << 25, 1 << 25))", "does not store the elements that it claims"),
        ("claim('treadle/history/epoch', (1 << 40,))", "does not store the elements that it claims"),
        ("claim('treadle/normalization/shift', (4,))", "does not store the elements that it claims"),
        // Ways out of the file.
        ("outside('model/dense/weight', (4, 5))", "keeps its elements in another file"),
        ("del f['treadle/config']; f['treadle/config'] = h5py.ExternalLink('/etc/passwd', '/x')", "external link"),
        ("del f['model']; f['model'] = h5py.ExternalLink('other.h5', '/model')", "external link"),
        ("del f['model']; f['model'] = h5py.SoftLink('/model')", "soft link"),
    ]

    @Test func `a sealed lie is refused`() throws {
        let directory = try TemporaryDirectory()
        try CheckpointFile.write(sampleCheckpoint(), to: directory.file("good.h5"))
        let changes = try JSONEncoder().encode(HostileCheckpointTests.lies.map(\.change) + ["pass"])
        let script = """
            import h5py, hashlib, json, numpy, os, struct, sys
            os.chdir(sys.argv[1])
            whole = open('good.h5', 'rb').read()
            def replace(name, value):
                del f[name]
                f[name] = value
            def claim(name, shape):
                type = f[name].dtype
                del f[name]
                f.create_dataset(name, shape, type, chunks=tuple(min(n, 4) for n in shape))
            def outside(name, shape):
                del f[name]
                f.create_dataset(name, shape, 'f4', external=[('/dev/zero', 0, 80)])
            for index, change in enumerate(json.loads(sys.argv[2])):
                open('image', 'wb').write(whole[512:])
                with h5py.File('image', 'r+') as f:
                    exec(change)
                image = open('image', 'rb').read()
                head = whole[:16] + struct.pack('<Q', len(image)) + hashlib.sha256(image).digest() + whole[56:80]
                head += hashlib.sha256(head).digest()
                open(str(index), 'wb').write(head.ljust(512, b'\\0') + image)
            """
        let result = try Python.run(script, directory.path, String(decoding: changes, as: UTF8.self))
        #expect(result.code == 0, "\(result.errors)")
        // The control: it is the lie that is refused, not the seal.
        let control = directory.file("\(HostileCheckpointTests.lies.count)")
        #expect(try CheckpointFile.read(control) == sampleCheckpoint())
        for (index, (change, words)) in HostileCheckpointTests.lies.enumerated() {
            let error = #expect(throws: TreadleError.self, "\(change)") {
                try CheckpointFile.read(directory.file("\(index)"))
            }
            #expect(error?.kind == .badData)
            #expect(error?.description.contains(words) == true, "\(change): \(error?.description ?? "")")
            #expect(error?.description.contains("\u{1b}") == false)
        }
    }
}
