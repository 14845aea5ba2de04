//! The ids of queues and channels. An id must be a valid label of a host name, because SDKs build
//! the host name of an endpoint from the id.

const CHARACTERS: usize = 17;

/// Converts a random number to the id of a queue or a channel. The id is a letter, followed by
/// letters and digits, all in lower case. Its form and its length are a choice. They follow the ids
/// in the endpoint tests of the SDKs.
pub(crate) fn resource_id(mut random: u128) -> String {
    let mut digit = |base: u32| {
        let digit = random % u128::from(base);
        random /= u128::from(base);
        u32::try_from(digit).unwrap_or_default()
    };
    let letter = |number: u32| std::char::from_digit(number, 36).unwrap_or('a');
    let first = letter(10 + digit(26));
    let others = (1..CHARACTERS).map(|_| letter(digit(36)));
    std::iter::once(first).chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_are_labels_of_a_host_name(one: u128, other: u128) {
            let id = resource_id(one);
            prop_assert_eq!(id.len(), CHARACTERS);
            prop_assert!(id.as_bytes()[0].is_ascii_lowercase());
            prop_assert!(id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()));
            let distinct = 26 * 36_u128.pow(16);
            prop_assert_eq!(one % distinct == other % distinct, id == resource_id(other));
        }
    }
}
