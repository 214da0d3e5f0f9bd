//! Tokens written otherwise than their signer wrote them.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use countersign_token::{Algorithm, MAX_TOKEN_BYTES, Rejection};

use super::support::{KEYS, claims, decode, forge, header, payload, verify};

#[test]
fn other_spellings_of_the_same_bytes_are_malformed() {
    for key in KEYS.iter() {
        let token = key.sign(&claims()).expect("a token");
        let segments: Vec<&str> = token.split('.').collect();
        for index in 0..3 {
            let segment = segments[index];
            let respelled = |text: String| {
                let mut segments: Vec<String> = segments.iter().map(ToString::to_string).collect();
                segments[index] = text;
                segments.join(".")
            };
            let bytes = decode(segment);
            let mut forms = vec![
                format!("{segment}="),
                format!("{segment}=="),
                format!("{segment}\n"),
                format!(" {segment}"),
                format!("{}\r\n{}", &segment[..8], &segment[8..]),
                format!("{} {}", &segment[..8], &segment[8..]),
                format!("{segment}\0"),
                format!("{segment}%3D"),
                format!("{segment}é"),
                String::new(),
            ];
            let padded = URL_SAFE.encode(&bytes);
            let standard = STANDARD.encode(&bytes);
            forms.extend(
                [padded, standard]
                    .into_iter()
                    .filter(|form| form != segment),
            );
            for form in forms {
                assert_eq!(
                    verify(&respelled(form.clone())),
                    Err(Rejection::Malformed),
                    "{form}"
                );
            }
        }
        for token in [
            format!("{token}."),
            format!(".{token}"),
            format!("{token}.{}", segments[2]),
            format!(" {token}"),
            format!("{token} "),
            format!("Bearer {token}"),
            token.replace('.', ".."),
            token.replace('.', ""),
            segments[..2].join("."),
        ] {
            assert_eq!(verify(&token), Err(Rejection::Malformed), "{token}");
        }
    }
}

#[test]
fn unused_bits_of_the_last_character_must_be_zero() {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for key in KEYS.iter() {
        let token = key.sign(&claims()).expect("a token");
        let (signed, last) = token.split_at(token.len() - 1);
        let mut malformed = 0;
        for character in ALPHABET
            .chars()
            .filter(|character| !last.contains(*character))
        {
            match verify(&format!("{signed}{character}")) {
                Err(Rejection::Malformed) => malformed += 1,
                other => assert_eq!(other, Err(Rejection::BadSignature)),
            }
        }
        // 64 and 256 bytes leave 4 bits unused, 32 bytes leave 2.
        let canonical = if key.algorithm() == Algorithm::Hs256 {
            16
        } else {
            4
        };
        assert_eq!(malformed, 64 - canonical, "{}", key.algorithm());
    }
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    for key in KEYS.iter() {
        let token = key.sign(&claims()).expect("a token");
        let mut flips = 0;
        for position in 0..token.len() {
            for bit in 0..8 {
                let mut bytes = token.clone().into_bytes();
                bytes[position] ^= 1 << bit;
                let Ok(flipped) = String::from_utf8(bytes) else {
                    continue;
                };
                assert!(
                    verify(&flipped).is_err(),
                    "bit {bit} of character {position}"
                );
                flips += 1;
            }
        }
        assert_eq!(flips, token.len() * 7);
    }
}

#[test]
fn no_truncation_passes() {
    for key in KEYS.iter() {
        let token = key.sign(&claims()).expect("a token");
        for length in 0..token.len() {
            assert!(
                verify(&token[..length]).is_err(),
                "the first {length} characters"
            );
            assert!(
                verify(&token[token.len() - length..]).is_err(),
                "the last {length}"
            );
        }
    }
}

#[test]
fn size_is_judged_before_anything_else() {
    let spaces = " ".repeat(MAX_TOKEN_BYTES);
    assert_eq!(verify(&spaces), Err(Rejection::Malformed));
    assert_eq!(verify(&format!("{spaces} ")), Err(Rejection::TooLarge));
    let long = "x".repeat(MAX_TOKEN_BYTES);
    let padded = payload().replace('}', &format!(",\"x\":\"{long}\"}}"));
    assert_eq!(
        verify(&forge(&KEYS[0], header(&KEYS[0]), padded)),
        Err(Rejection::TooLarge)
    );
}
