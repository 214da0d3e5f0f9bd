//! Which file uses which: every import and every path in code, followed to the
//! file that defines what it names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::modules::Modules;

/// For each file, the files that it uses, and the names that it uses of them.
#[derive(Default)]
pub(crate) struct Arrows(BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>);

/// Files that use each other, and the arrows between them.
pub(crate) struct Circle {
    pub(crate) files: BTreeSet<PathBuf>,
    pub(crate) arrows: Vec<String>,
}

/// What a path leads to.
#[derive(Clone, Copy, PartialEq)]
enum Target {
    /// A module itself.
    Module(usize),
    /// Something that this module defines.
    Item(usize),
    /// Something of another crate.
    Outside,
}

/// Imports that lead to imports are followed this far.
const FARTHEST: usize = 16;

impl Arrows {
    /// The arrows between the files of a crate.
    ///
    /// A re-export makes no arrow, and a name that is reached through one leads
    /// to the file behind it: so a root that only lists is in no circle.
    pub(crate) fn of(modules: &Modules) -> Self {
        let mut arrows = Self::default();
        for (index, module) in modules.0.iter().enumerate() {
            let imports = module.imports.iter().filter(|import| !import.is_reexport);
            let imported = imports.filter(|i| i.name.is_some()).map(|i| &i.path);
            for path in imported.chain(&module.paths) {
                let Some(Target::Item(target)) = modules.resolve(index, path, 0) else {
                    continue;
                };
                let target = &modules.0[target].file;
                if *target != module.file {
                    arrows.add(&module.file, target, path);
                }
            }
        }
        arrows
    }

    fn add(&mut self, from: &Path, to: &Path, path: &[String]) {
        let name = path.last().cloned().unwrap_or_default();
        let used = self.0.entry(from.to_owned()).or_default();
        used.entry(to.to_owned()).or_default().insert(name);
    }

    /// Each arrow, from the file that uses to the one that is used.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&Path, &Path)> {
        self.0
            .iter()
            .flat_map(|(from, used)| used.keys().map(move |to| (&**from, &**to)))
    }

    /// The largest sets of files each of which uses each other, if not directly.
    pub(crate) fn circles(&self) -> Vec<Circle> {
        let files = self.0.keys().map(PathBuf::as_path);
        let reached: BTreeMap<_, _> = files.map(|from| (from, self.reach(from))).collect();
        let mut found = BTreeSet::new();
        for (from, reachable) in &reached {
            let comes_back = |to: &&&Path| reached.get(**to).is_some_and(|r| r.contains(from));
            let circle: BTreeSet<_> = reachable.iter().filter(comes_back).copied().collect();
            if !circle.is_empty() {
                found.insert(circle);
            }
        }
        found.into_iter().map(|files| self.circle(files)).collect()
    }

    fn circle(&self, files: BTreeSet<&Path>) -> Circle {
        let mut arrows = Vec::new();
        for from in &files {
            for (to, names) in self.0.get(*from).into_iter().flatten() {
                if files.contains(to.as_path()) {
                    let names: Vec<_> = names.iter().map(String::as_str).collect();
                    let (from, to) = (from.display(), to.display());
                    arrows.push(format!("{from} uses {} of {to}", names.join(", ")));
                }
            }
        }
        Circle {
            files: files.into_iter().map(Path::to_path_buf).collect(),
            arrows,
        }
    }

    fn reach<'a>(&'a self, from: &'a Path) -> BTreeSet<&'a Path> {
        let mut reached = BTreeSet::new();
        let mut next = vec![from];
        while let Some(file) = next.pop() {
            for to in self.0.get(file).into_iter().flat_map(BTreeMap::keys) {
                if reached.insert(to.as_path()) {
                    next.push(to);
                }
            }
        }
        reached
    }
}

impl Modules {
    /// What a path in this module leads to.
    fn resolve(&self, from: usize, path: &[String], depth: usize) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let mut target = match first.as_str() {
            "crate" => Target::Module(0),
            "self" => Target::Module(from),
            "super" => Target::Module(self.0[from].parent),
            name => self.look_up(from, name, !rest.is_empty(), depth)?,
        };
        for (place, name) in rest.iter().enumerate() {
            // What follows an item is its own: a variant, a method.
            let Target::Module(module) = target else {
                break;
            };
            let is_qualifier = place + 1 < rest.len();
            target = match name.as_str() {
                "super" => Target::Module(self.0[module].parent),
                // What a module does not spell out, a macro in it defines.
                name => self
                    .look_up(module, name, is_qualifier, depth)
                    .unwrap_or(Target::Item(module)),
            };
        }
        Some(target)
    }

    /// What a name means in a module. Modules and items have names of their own
    /// each: what is followed by `::` is a module, if there is one.
    fn look_up(
        &self,
        module: usize,
        name: &str,
        is_qualifier: bool,
        depth: usize,
    ) -> Option<Target> {
        if depth > FARTHEST {
            return None;
        }
        let here = &self.0[module];
        let item = here.items.contains(name).then_some(Target::Item(module));
        let child = here.children.get(name).copied().map(Target::Module);
        let named = here
            .imports
            .iter()
            .filter(|i| i.name.as_deref() == Some(name));
        let imported = named.map(|import| {
            self.resolve(module, &import.path, depth + 1)
                .unwrap_or(Target::Outside)
        });
        let mut meanings: Vec<_> = item.into_iter().chain(child).chain(imported).collect();
        meanings.sort_by_key(|meaning| match meaning {
            Target::Module(_) => !is_qualifier,
            Target::Item(_) => is_qualifier,
            Target::Outside => true,
        });
        let globs = here.imports.iter().filter(|import| import.name.is_none());
        meanings.first().copied().or_else(|| {
            globs.into_iter().find_map(|import| {
                match self.resolve(module, &import.path, depth + 1)? {
                    Target::Module(all) if all != module => {
                        self.look_up(all, name, is_qualifier, depth + 1)
                    }
                    _ => None,
                }
            })
        })
    }
}
