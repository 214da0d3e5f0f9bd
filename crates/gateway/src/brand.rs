//! Whose pages they are: a colour and a logo. Whatever the colour, text in it and on it can be read:
//! it is made darker or lighter where it is used for text.

use std::fmt;

use bytes::Bytes;

/// The look of a brand.
#[derive(Debug, Clone, Default)]
pub struct Brand {
    /// The colour of the main buttons; of links, too, as far as it can be read.
    pub color: Option<Color>,
    /// The logo, which stands in the place of the name.
    pub logo: Option<Logo>,
}

/// A colour, as `#3546c9`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Color([u8; 3]);

/// A logo.
#[derive(Clone)]
pub struct Logo {
    content_type: &'static str,
    bytes: Bytes,
}

/// Why something is no part of a brand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrandError {
    /// A text that is no colour.
    #[error("must be a colour such as #3546c9")]
    Color,
    /// A file that is no picture.
    #[error("must name an SVG or PNG file of at most 64 KiB")]
    Logo,
}

const WHITE: Color = Color([255; 3]);
const BLACK: Color = Color([0; 3]);
/// The darkest background of the light theme on which there are links, and the lightest of the dark one
/// (`--sunken` in `style.css`).
const LIGHT: Color = Color([0xf1, 0xf2, 0xf5]);
const DARK: Color = Color([0x1e, 0x22, 0x2a]);
/// What text needs (WCAG 2.2, 1.4.3).
const CONTRAST: f64 = 4.5;
const LARGEST_LOGO: usize = 64 * 1024;

impl Brand {
    /// The stylesheet of the colour, if there is one.
    pub(crate) fn css(&self) -> Option<String> {
        let accent = self.color?;
        Some(format!(
            ":root{{--accent:{accent};--accent-text:{};--accent-on-light:{};--accent-on-dark:{}}}\n",
            accent.text_on(),
            accent.readable_on(LIGHT, BLACK),
            accent.readable_on(DARK, WHITE),
        ))
    }
}

impl Color {
    /// Reads one.
    ///
    /// # Errors
    /// [`BrandError::Color`].
    pub fn parse(text: &str) -> Result<Self, BrandError> {
        let digits = text.strip_prefix('#').ok_or(BrandError::Color)?;
        let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if digits.len() != 6 || !is_hexadecimal {
            return Err(BrandError::Color);
        }
        let value = u32::from_str_radix(digits, 16).map_err(|_| BrandError::Color)?;
        let [_, red, green, blue] = value.to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    /// The contrast of two colours (WCAG 2.2, contrast ratio).
    fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let channel = f64::from(channel) / 255.0;
            match channel <= 0.04045 {
                true => channel / 12.92,
                false => ((channel + 0.055) / 1.055).powf(2.4),
            }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// White or black, whichever is read better on it: that is always at least 4.58.
    fn text_on(self) -> Self {
        match self.contrast(WHITE) >= self.contrast(BLACK) {
            true => WHITE,
            false => BLACK,
        }
    }

    /// The nearest to it, on the way to another colour, that can be read on a background.
    fn readable_on(self, background: Self, towards: Self) -> Self {
        let mixed = (0..=u8::MAX).map(|share| self.mixed(towards, share));
        let mut readable = mixed.filter(|color| color.contrast(background) >= CONTRAST);
        readable.next().unwrap_or(towards)
    }

    /// So many parts of 255 of another colour.
    fn mixed(self, other: Self, share: u8) -> Self {
        let mut channels = self.0;
        for (own, other) in channels.iter_mut().zip(other.0) {
            let (share, rest) = (u32::from(share), u32::from(u8::MAX - share));
            let sum = u32::from(*own) * rest + u32::from(other) * share;
            *own = u8::try_from(sum / 255).unwrap_or(u8::MAX);
        }
        Self(channels)
    }
}

impl Logo {
    /// A logo with these bytes.
    ///
    /// # Errors
    /// [`BrandError::Logo`] if they are neither an SVG nor a PNG file, or too many.
    pub fn new(bytes: Vec<u8>) -> Result<Self, BrandError> {
        let text = std::str::from_utf8(&bytes).map(str::trim_start);
        let begins = |start: &str| text.is_ok_and(|text| text.starts_with(start));
        let is_svg = begins("<svg") || begins("<?xml");
        let content_type = match bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            true => "image/png",
            false if is_svg => "image/svg+xml",
            false => return Err(BrandError::Logo),
        };
        match bytes.len() <= LARGEST_LOGO {
            true => Ok(Self {
                content_type,
                bytes: bytes.into(),
            }),
            false => Err(BrandError::Logo),
        }
    }

    /// Its type and its bytes.
    pub(crate) fn served(&self) -> (&'static str, Bytes) {
        (self.content_type, self.bytes.clone())
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl fmt::Debug for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({}, {} bytes)", self.content_type, self.bytes.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_has_six_digits() {
        assert_eq!(Color::parse("#3546C9").unwrap().to_string(), "#3546c9");
        for text in [
            "",
            "3546c9",
            "#fff",
            "#3546c9ff",
            "#gg46c9",
            "red",
            "#+546c9",
        ] {
            assert_eq!(Color::parse(text), Err(BrandError::Color), "{text}");
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((WHITE.contrast(BLACK) - 21.0).abs() < 0.01);
        let grey = Color::parse("#767676").unwrap();
        assert!((WHITE.contrast(grey) - 4.54).abs() < 0.01);
    }

    #[test]
    fn every_colour_can_be_read() {
        for value in 0..4096_u32 {
            let channel = |shift: u32| u8::try_from((value >> shift) & 15).unwrap() * 17;
            let color = Color([channel(8), channel(4), channel(0)]);
            let on_it = color.text_on().contrast(color);
            assert!(on_it >= CONTRAST, "text on {color}: {on_it}");
            for (background, towards) in [(LIGHT, BLACK), (DARK, WHITE)] {
                let link = color.readable_on(background, towards);
                let contrast = link.contrast(background);
                assert!(contrast >= CONTRAST, "{color} on {background}: {contrast}");
            }
        }
        // What can be read as it is stays as it is.
        let indigo = Color::parse("#3546c9").unwrap();
        assert_eq!(indigo.readable_on(LIGHT, BLACK), indigo);
    }

    #[test]
    fn a_logo_is_a_picture() {
        for good in [
            &b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..],
            b"\x89PNG\r\n\x1a\n...",
        ] {
            assert!(Logo::new(good.to_vec()).is_ok());
        }
        let large = [b"<svg>".to_vec(), vec![b' '; LARGEST_LOGO]].concat();
        for bad in [Vec::new(), b"<html>".to_vec(), b"GIF89a".to_vec(), large] {
            assert!(Logo::new(bad).is_err());
        }
    }
}
