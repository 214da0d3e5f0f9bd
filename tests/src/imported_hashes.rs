//! Hashes that other systems made, all of one password.

/// What the hashes were made of, by Django 5.2 and passlib 1.7.4.
pub const IMPORTED_PASSWORD: &str = "correct horse";

/// Cheaper than a new hash, by the names of their formats.
pub const CHEAP_HASHES: [(&str, &str); 6] = [
    (
        "sha1",
        "sha1$ayAcoSPkhpiL$984e80019d04128b21e735b92d328892694845ad",
    ),
    ("phpass", "$P$BltFNm/KcoRBoyl8HRcYRTQCvlQzTo."),
    (
        "bcrypt 6",
        "$2b$06$4i/likVP6kldd7Y5MtzP8uE/d.P7d08w1NCmQMEll9o6qkiuEJYMe",
    ),
    (
        "sha512-crypt",
        "$6$SBwBeCSC34vtyx0/$.q1Ts7SwFG/HThEMdqcHJ6Uj41hWEjFvr9fM4ynJN73Cf2m6aciKgSx2IHFOCw0Yk7lL.c82Z8up.KX7AP378.",
    ),
    (
        "pbkdf2-sha256",
        "$pbkdf2-sha256$29000$6l0rBeDcWyuFsBbCuNe69w$CWaWfGsQw/MaFtAs1SxieYbonSBOHx1IMQE6PRgynY4",
    ),
    (
        "argon2i",
        "$argon2i$v=19$m=512,t=3,p=1$CnpI+z4KKsNsb7VVZ+ChdA$0n1a+UsduaellnD2eR1N/mjbRfk+r72xRWob8rSGnZ0",
    ),
];

/// Dearer, as Django and passlib make them unless told otherwise.
pub const DEAR_HASHES: [(&str, &str); 7] = [
    (
        "bcrypt",
        "$2b$12$Ao30JFj9.tirvGQdShzbmujxT9QL527N2F9.JnfQyHdOLsWoNhhy2",
    ),
    (
        "bcrypt_sha256",
        "bcrypt_sha256$$2b$12$PYOOYTjV5s3nrZg9R0GHlOvd3XIJXPRFxBx8SiHDzWWxUcPC9aHwi",
    ),
    (
        "pbkdf2_sha256",
        "pbkdf2_sha256$1000000$XqukhNzYJmRljqXgWksQti$TI2nWGt0Z+026jHzP5d89xLEmpGTYdByqBjvl+r0leY=",
    ),
    (
        "django argon2",
        "argon2$argon2id$v=19$m=102400,t=2,p=8$ZXU1UkpXaTlBeXA5OWNHQ0FXTnAyUQ$g5R2S2XOZNWJnmhWaNRwvl71EVS4DE3fHcURoUyNtRQ",
    ),
    (
        "django scrypt",
        "scrypt$16384$wW5IeeMW9VsZ4nlHSZz7fa$8$5$wzcIlE2M8NZhpbuC0GsJkYa/dwcrUP7z8NTr4IH/sl4LXVZuQe7u+b0ZPgsYb7XKjOmnnk8dxFXhgPB+d5PcKw==",
    ),
    (
        "sha512-crypt",
        "$6$rounds=656000$xQbDN4jYM3In6gWQ$STu1iKAo8QRkF1horMsuFfeqsne6XghokOkKTACDstw3Bz2CIt.1Q5C/TYmwz.K22O3hhbgf0VGgV13X8pU2b/",
    ),
    (
        "scrypt",
        "$scrypt$ln=16,r=8,p=1$v5cyBoBQ6p3znjOGcA6h1A$R5Xvf0hDDZTtHdR9Ys5AZqU/KBAj/ut14BjJ8LlSNk0",
    ),
];
