//! The files of a folder that stand in place of texts that are built in.

use std::collections::HashMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::error::TemplateError;
use super::settings::LOCALES;
use crate::outgoing::MessageName;

/// What the names look like.
const NAMES: &str = "sms.sign_up.ko.txt, alimtalk.sign_up.ko.txt, email.sign_up.en.subject, \
                     email.sign_up.en.txt and email.sign_up.en.html";
/// More than any message has.
const LARGEST: u64 = 256 * 1024;

/// The templates of a folder, by the names of their files, and what is wrong with
/// others. Hidden files are left alone, and so are folders: those of Kubernetes'
/// volumes are both.
pub(super) fn read(folder: Option<&Path>) -> (HashMap<String, String>, Vec<TemplateError>) {
    let (mut files, mut errors) = (HashMap::new(), Vec::new());
    let Some(folder) = folder else {
        return (files, errors);
    };
    let mut paths = match paths(folder) {
        Ok(paths) => paths,
        Err(error) => return (files, vec![unreadable(folder, error)]),
    };
    paths.sort();
    for path in paths {
        match read_file(&path) {
            Ok(Some((name, text))) => drop(files.insert(name, text)),
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
    }
    (files, errors)
}

fn paths(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect()
}

/// The name and the text of a template; none of what is left alone.
fn read_file(path: &Path) -> Result<Option<(String, String)>, TemplateError> {
    let name = path.file_name().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, error))?;
    if name.starts_with('.') || metadata.is_dir() {
        return Ok(None);
    }
    if !is_known(&name) {
        return Err(TemplateError::Unknown(path.display().to_string(), NAMES));
    }
    if metadata.len() > LARGEST {
        return Err(unreadable(path, "is larger than 256 KiB"));
    }
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, error))?;
    Ok(Some((name, text)))
}

fn unreadable(path: &Path, why: impl Display) -> TemplateError {
    TemplateError::Unreadable(path.display().to_string(), why.to_string())
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
