import * as CompressionOff from "../../../src/layers/compression/CompressionOff.ts"
import * as CompressionZlib from "../../../src/layers/compression/CompressionZlib.ts"
import * as Codecs from "../../../src/layers/compression/internal/zlibCodecs.ts"
import { compressionContract } from "../../contracts/compression/Compression.ts"

compressionContract("zlib, in Node", CompressionZlib.make, (value, coding) => Codecs.encode(value, coding, "inline"))
compressionContract("off, in Node", CompressionOff.make, (value, coding) => Codecs.encode(value, coding, "inline"))
