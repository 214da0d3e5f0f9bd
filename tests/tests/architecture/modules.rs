//! The modules of a crate, as its files declare them: what each defines, imports
//! and names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::buffer::{Cursor, TokenBuffer};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemUse, Macro, Meta, UseTree, Visibility};

/// A path as it is written, such as `crate::model::Email`.
pub(crate) type Names = Vec<String>;

/// The modules of one library or program. The first is its root.
pub(crate) struct Modules(pub(crate) Vec<Module>);

/// A module, without its tests.
pub(crate) struct Module {
    /// The file that it is written in.
    pub(crate) file: PathBuf,
    /// The module around it; the root's is the root.
    pub(crate) parent: usize,
    /// The modules that it declares.
    pub(crate) children: BTreeMap<String, usize>,
    /// The names that it defines itself.
    pub(crate) items: BTreeSet<String>,
    /// What it imports.
    pub(crate) imports: Vec<Import>,
    /// The paths in its code.
    pub(crate) paths: Vec<Names>,
}

/// One name of a `use`.
pub(crate) struct Import {
    /// The name that it gets; none for `*`.
    pub(crate) name: Option<String>,
    /// What it stands for.
    pub(crate) path: Names,
    /// Whether others can see it through this module.
    pub(crate) is_reexport: bool,
}

impl Modules {
    /// Reads the crate whose root is this file.
    pub(crate) fn read(root: &Path, text_of: &dyn Fn(&Path) -> Option<String>) -> Self {
        let mut modules = Self(Vec::new());
        let beside = root.parent().unwrap_or(Path::new(""));
        modules.read_file(root, beside, 0, text_of);
        modules
    }

    /// Reads made-up sources, of which the first is the root.
    pub(crate) fn of_sources(sources: &[(&str, &str)]) -> Self {
        let texts: BTreeMap<_, _> = sources.iter().copied().collect();
        let text_of = |file: &Path| texts.get(file.to_str()?).map(|text| (*text).to_owned());
        Self::read(Path::new(sources[0].0), &text_of)
    }

    fn read_file(
        &mut self,
        file: &Path,
        below: &Path,
        parent: usize,
        text_of: &dyn Fn(&Path) -> Option<String>,
    ) -> usize {
        let text = text_of(file).unwrap_or_else(|| panic!("{} is not there", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        self.read_module(&parsed.items, file, below, parent, text_of)
    }

    fn read_module(
        &mut self,
        items: &[Item],
        file: &Path,
        below: &Path,
        parent: usize,
        text_of: &dyn Fn(&Path) -> Option<String>,
    ) -> usize {
        let index = self.0.len();
        let mut module = Module {
            file: file.to_owned(),
            parent,
            children: BTreeMap::new(),
            items: items.iter().filter_map(name_of).collect(),
            imports: Vec::new(),
            paths: Vec::new(),
        };
        for item in items {
            module.visit_item(item);
        }
        self.0.push(module);
        for item in items {
            let Item::Mod(declared) = item else { continue };
            if is_for_tests(&declared.attrs) {
                continue;
            }
            let name = declared.ident.to_string();
            let inside = below.join(&name);
            let child = if let Some((_, items)) = &declared.content {
                self.read_module(items, file, &inside, index, text_of)
            } else {
                let beside = below.join(format!("{name}.rs"));
                let is_beside = text_of(&beside).is_some();
                let file = if is_beside {
                    beside
                } else {
                    inside.join("mod.rs")
                };
                self.read_file(&file, &inside, index, text_of)
            };
            self.0[index].children.insert(name, child);
        }
        index
    }
}

/// Collects imports and paths. What is for tests alone is passed over.
impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes_of(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let is_skipped = matches!(item, ImplItem::Fn(method) if is_for_tests(&method.attrs));
        if !is_skipped {
            visit::visit_impl_item(self, item);
        }
    }

    /// A module inside another is read by itself.
    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {}

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        let is_reexport = !matches!(item.vis, Visibility::Inherited);
        flatten(&item.tree, &mut Vec::new(), &mut |name, path| {
            self.imports.push(Import {
                name,
                path,
                is_reexport,
            });
        });
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        self.paths
            .push(segments.map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        let tokens = TokenBuffer::new2(call.tokens.clone());
        paths_in(tokens.begin(), &mut self.paths);
        visit::visit_macro(self, call);
    }

    /// Such as `#[serde(with = "duration::seconds")]`.
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            let tokens = TokenBuffer::new2(list.tokens.clone());
            paths_in_texts(tokens.begin(), &mut self.paths);
        }
    }
}

/// The paths among the tokens of a macro.
fn paths_in(mut cursor: Cursor<'_>, found: &mut Vec<Names>) {
    while !cursor.eof() {
        if let Some((ident, rest)) = cursor.ident() {
            let mut path = vec![ident.to_string()];
            cursor = rest;
            while let Some((next, rest)) = after_colons(cursor).and_then(Cursor::ident) {
                path.push(next.to_string());
                cursor = rest;
            }
            found.push(path);
        } else {
            if let Some((inside, ..)) = cursor.any_group() {
                paths_in(inside, found);
            }
            let Some((_, rest)) = cursor.token_tree() else {
                return;
            };
            cursor = rest;
        }
    }
}

fn after_colons(cursor: Cursor<'_>) -> Option<Cursor<'_>> {
    let (first, rest) = cursor.punct()?;
    let (second, rest) = rest.punct()?;
    (first.as_char() == ':' && second.as_char() == ':').then_some(rest)
}

/// The paths that are written as texts, as serde wants them.
fn paths_in_texts(mut cursor: Cursor<'_>, found: &mut Vec<Names>) {
    while let Some((_, rest)) = cursor.token_tree() {
        if let Some((inside, ..)) = cursor.any_group() {
            paths_in_texts(inside, found);
        }
        if let Some((literal, _)) = cursor.literal() {
            let text = literal.to_string();
            let path: Names = text
                .trim_matches('"')
                .split("::")
                .map(str::to_owned)
                .collect();
            let is_name = |name: &String| {
                let is_letter = |c: char| c == '_' || c.is_ascii_alphanumeric();
                !name.is_empty() && name.chars().all(is_letter)
            };
            if path.iter().all(is_name) {
                found.push(path);
            }
        }
        cursor = rest;
    }
}

/// Tells each name of a `use` and what it stands for.
fn flatten(tree: &UseTree, prefix: &mut Names, tell: &mut impl FnMut(Option<String>, Names)) {
    let with = |prefix: &Names, last: &syn::Ident| {
        let mut path = prefix.clone();
        // `a::{self}` is `a`.
        if last != "self" || path.is_empty() {
            path.push(last.to_string());
        }
        path
    };
    match tree {
        UseTree::Path(path) => {
            prefix.push(path.ident.to_string());
            flatten(&path.tree, prefix, tell);
            prefix.pop();
        }
        UseTree::Name(name) => {
            let path = with(prefix, &name.ident);
            tell(path.last().cloned(), path);
        }
        UseTree::Rename(rename) => {
            let path = with(prefix, &rename.ident);
            tell(Some(rename.rename.to_string()), path);
        }
        UseTree::Glob(_) => tell(None, prefix.clone()),
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, prefix, tell);
            }
        }
    }
}

/// Whether the attributes say `cfg(test)`.
fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else {
            return false;
        };
        let condition = list.tokens.to_string();
        list.path.is_ident("cfg") && (condition == "test" || condition.starts_with("all (test"))
    })
}

fn attributes_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// The name that an item defines.
fn name_of(item: &Item) -> Option<String> {
    if is_for_tests(attributes_of(item)) {
        return None;
    }
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}
