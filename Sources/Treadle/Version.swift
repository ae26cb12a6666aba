internal import TreadleBase

/// The version of this library, which is the program's, too: `0.1.0`.
public let version: String = TreadleBase.Treadle.version
