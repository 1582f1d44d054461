/** A body in UTF-8, or undefined when it holds more than `maxBytes`: no more of it than that is read. */
export const cappedText = async (response: Response, maxBytes: number): Promise<string | undefined> => {
  if (response.body === null) return ""
  const reader = response.body.getReader() as ReadableStreamDefaultReader<Uint8Array>
  const decoder = new TextDecoder()
  let text = ""
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.byteLength
    if (bytes > maxBytes) {
      await reader.cancel()
      return undefined
    }
    text += decoder.decode(value, { stream: true })
  }
}
