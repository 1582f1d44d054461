import * as fc from "effect/FastCheck"

// By default fast-check makes nothing longer than some 10 elements, whatever `maxLength` says.
fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true })
