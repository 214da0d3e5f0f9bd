//! The files of a folder that stand in place of texts that are built in.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use super::error::TemplateError;
use super::settings::LOCALES;
use crate::outgoing::MessageName;

/// What the names look like.
const NAMES: &str = "sms.sign_up.ko.txt, alimtalk.sign_up.ko.txt, email.sign_up.en.subject, \
                     email.sign_up.en.txt and email.sign_up.en.html";
/// More than any message has.
const LARGEST: u64 = 256 * 1024;

/// The templates of a folder, by the names of their files. Hidden files are
/// left alone, and so are folders: those of Kubernetes' volumes are both.
pub(super) fn read(folder: Option<&Path>) -> Result<HashMap<String, String>, TemplateError> {
    let Some(folder) = folder else {
        return Ok(HashMap::new());
    };
    let unreadable =
        |path: &Path, error: String| TemplateError::Unreadable(path.display().to_string(), error);
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, error.to_string()))?;
    let mut files = HashMap::new();
    for entry in entries {
        let path = entry
            .map_err(|error| unreadable(folder, error.to_string()))?
            .path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let metadata = fs::metadata(&path).map_err(|error| unreadable(&path, error.to_string()))?;
        if name.starts_with('.') || metadata.is_dir() {
            continue;
        }
        if !is_known(&name) {
            return Err(TemplateError::Unknown(path.display().to_string(), NAMES));
        }
        if metadata.len() > LARGEST {
            return Err(unreadable(&path, "is larger than 256 KiB".into()));
        }
        let text =
            fs::read_to_string(&path).map_err(|error| unreadable(&path, error.to_string()))?;
        files.insert(name, text);
    }
    Ok(files)
}

fn is_known(file: &str) -> bool {
    MessageName::ALL.iter().any(|name| {
        LOCALES.iter().any(|locale| {
            let (name, locale) = (name.as_str(), locale.tag());
            file == format!("sms.{name}.{locale}.txt")
                || file == format!("alimtalk.{name}.{locale}.txt")
                || ["subject", "txt", "html"]
                    .iter()
                    .any(|end| file == format!("email.{name}.{locale}.{end}"))
        })
    })
}
