//! Headers that an application might take for one of those that tell it who is asking.

use countersign_gateway::IDENTITY_HEADERS;

/// Whether an application might take a header of this name for one of ours, though the
/// proxy does not: CGI and its children (WSGI, PHP, Rack) make `HTTP_X_AUTH_USER` of
/// `x_auth_user` and `x.auth.user`, too.
pub(super) fn is_look_alike(name: &[u8]) -> bool {
    let is_one = |ours: &&str| {
        let ours = ours.as_bytes();
        let is_same = |(theirs, ours): (&u8, &u8)| match ours {
            b'-' => !theirs.is_ascii_alphanumeric(),
            ours => theirs.eq_ignore_ascii_case(ours),
        };
        ours.len() == name.len() && name.iter().zip(ours).all(is_same)
    };
    // Few headers begin so.
    matches!(name.first(), Some(b'x' | b'X'))
        && IDENTITY_HEADERS.iter().any(is_one)
        && !IDENTITY_HEADERS.iter().any(|ours| ours.as_bytes() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_are_known_and_nothing_else() {
        for name in IDENTITY_HEADERS {
            let others = [
                name.replace('-', "_"),
                name.replace('-', "."),
                name.replacen('-', "_", 1),
                name.to_uppercase(),
                name.replacen('x', "X", 1),
            ];
            for other in others {
                assert!(is_look_alike(other.as_bytes()), "{other}");
            }
            // The proxy puts or removes these itself.
            assert!(!is_look_alike(name.as_bytes()), "{name}");
        }
        for other in [
            "x-auth-token",
            "x_auth",
            "xxauthxuser",
            "y_auth_user",
            "x-auth-users",
            "",
        ] {
            assert!(!is_look_alike(other.as_bytes()), "{other}");
        }
    }
}
