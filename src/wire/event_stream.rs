//! Frames of the AWS event-stream format. A frame has two lengths, headers and a payload, and two
//! CRC32 checksums.
//!
//! The values of all headers are strings, because AWS's Java client refuses other types.

/// The type byte of a header whose value is a string.
const STRING: u8 = 7;
/// Number of bytes of a frame's prelude: the length of the frame, the length of the headers, and
/// the checksum of both lengths.
const PRELUDE_BYTES: usize = 12;
/// Number of bytes of the checksum over the whole frame.
const CHECKSUM_BYTES: usize = 4;

/// Returns a frame with the headers `headers`. The function `payload` appends the payload directly
/// to the frame, so that records are not copied again.
///
/// # Panics
/// Panics if the name of a header is longer than 255 bytes, or if the value of a header is longer
/// than 65,535 bytes.
pub fn frame(headers: &[(&str, &str)], payload: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut message = vec![0; PRELUDE_BYTES];
    for (name, value) in headers {
        message.push(u8::try_from(name.len()).expect("a header's name is short"));
        message.extend_from_slice(name.as_bytes());
        message.push(STRING);
        let length = u16::try_from(value.len()).expect("a header's value is short");
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(value.as_bytes());
    }
    let headers_bytes = message.len() - PRELUDE_BYTES;
    payload(&mut message);
    let total = message.len() + CHECKSUM_BYTES;
    message[..4].copy_from_slice(&length(total));
    message[4..8].copy_from_slice(&length(headers_bytes));
    let prelude = crc32fast::hash(&message[..8]);
    message[8..PRELUDE_BYTES].copy_from_slice(&prelude.to_be_bytes());
    let whole = crc32fast::hash(&message);
    message.extend_from_slice(&whole.to_be_bytes());
    message
}

fn length(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes)
        .expect("a frame is far below 4 GiB")
        .to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[test]
    fn frames_are_those_that_clients_were_seen_to_read() {
        let json = "application/x-amz-json-1.1";
        let initial = frame(
            &[
                (":event-type", "initial-response"),
                (":content-type", json),
                (":message-type", "event"),
            ],
            |payload| payload.extend_from_slice(b"{}"),
        );
        assert_eq!(
            hex(&initial),
            "0000007200000060ab820d9e0b3a6576656e742d74797065070010696e697469616c2d726573706f6e7365\
             0d3a636f6e74656e742d7479706507001a6170706c69636174696f6e2f782d616d7a2d6a736f6e2d312e31\
             0d3a6d6573736167652d747970650700056576656e747b7dacae6b7d"
        );
        let exception = frame(
            &[
                (":exception-type", "ResourceInUseException"),
                (":content-type", json),
                (":message-type", "exception"),
            ],
            |payload| payload.extend_from_slice(br#"{"message":"in use"}"#),
        );
        assert_eq!(
            hex(&exception),
            "000000920000006e64eee7460f3a657863657074696f6e2d747970650700165265736f75726365496e557365\
             457863657074696f6e0d3a636f6e74656e742d7479706507001a6170706c69636174696f6e2f782d616d7a2d\
             6a736f6e2d312e310d3a6d6573736167652d74797065070009657863657074696f6e7b226d65737361676522\
             3a22696e20757365227d249744de"
        );
    }
}
