// What is public in the layers below is this library's: `Configuration`, `Stop`, `TreadleError`, reports and records.
@_exported public import TreadleBase
@_exported public import TreadleConfiguration
@_exported public import TreadleData
@_exported public import TreadleModel
@_exported public import TreadleRun
@_exported public import TreadleTools

/// The version of this library, which is the program's, too.
///
/// ```swift
/// print("trained by Treadle \(version)")
/// ```
public let version: String = TreadleBase.Treadle.version
