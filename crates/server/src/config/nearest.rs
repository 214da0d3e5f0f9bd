//! What somebody may have meant by an environment variable that does not exist.

use strsim::damerau_levenshtein;

/// The names that a variable is nearest to; none if it is far from all.
pub(super) fn nearest(variable: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    let asked = essence(variable);
    let mut least = asked.len() * 2 / 3;
    let mut nearest = Vec::new();
    for name in names {
        let distance = distance(&asked, &name);
        if distance < least {
            least = distance;
            nearest.clear();
        }
        if distance == least {
            nearest.push(name);
        }
    }
    nearest
}

/// How many letters are wrong, if the name was meant, or its last part alone.
fn distance(asked: &str, name: &str) -> usize {
    let last = name.rsplit("__").next().unwrap_or(name);
    let in_all = damerau_levenshtein(asked, &essence(name));
    let in_last = damerau_levenshtein(asked, &essence(last));
    in_all.min(in_last + 1)
}

/// What tells a variable from others: not the prefix, underscores or case.
fn essence(variable: &str) -> String {
    let name = variable.strip_prefix("COUNTERSIGN").unwrap_or(variable);
    name.replace('_', "").to_uppercase()
}
