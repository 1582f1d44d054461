import * as CompressionZlib from "../../../src/layers/compression/CompressionZlib.ts"
import * as Codecs from "../../../src/layers/compression/internal/zlibCodecs.ts"
import { compressionContract } from "../../contracts/compression/Compression.ts"

compressionContract("zlib, in workerd", CompressionZlib.make, (value, coding) => Codecs.encode(value, coding, "inline"))
