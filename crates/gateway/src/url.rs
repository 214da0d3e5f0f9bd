//! Writing URLs: what stands in a query is encoded.

use std::fmt::Write as _;

/// `name=value`, encoded for a query (RFC 3986, section 2.1).
pub(crate) fn query(name: &str, value: &str) -> String {
    let mut text = format!("{name}=");
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            text.push(byte.into());
        } else {
            write!(text, "%{byte:02X}").expect("a string takes everything");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_ends_it() {
        assert_eq!(
            query("return_to", "https://a.example/b?c=d&e=ä#f"),
            "return_to=https%3A//a.example/b%3Fc%3Dd%26e%3D%C3%A4%23f"
        );
    }
}
