//! Who has begun a unit of work reads through it: it holds a connection, and many who each want a
//! second one of the same pool wait for one another until their time is up.

use std::path::Path;

use syn::visit::{self, Visit};
use syn::{Expr, ExprCall, ExprMethodCall, FnArg, ImplItemFn, ItemFn, Member, Signature, Type};

use crate::workspace::{root, sources};

#[test]
fn a_unit_of_work_takes_no_second_connection() {
    let domain = root().join("crates/domain/src");
    let testing = domain.join("testing");
    let sources = sources(|path| path.starts_with(&domain) && !path.starts_with(&testing));
    let mut begun = 0;
    let mut found = Vec::new();
    for (path, text) in &sources {
        let reading = Reading::of(path, text);
        begun += reading.begun;
        found.extend(reading.found);
    }
    assert!(begun > 40, "{begun} units of work are seen");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_second_connection_is_found() {
    for (function, is_second) in [
        (
            "fn f() { let uow = app.store.begin(); app.store.user(id); }",
            true,
        ),
        (
            "fn f(&self, uow: &mut dyn UnitOfWork) { self.store.user(id).await?; }",
            true,
        ),
        (
            "fn f(uow: Box<dyn UnitOfWork>, store: &dyn Store) { store.user(id); }",
            true,
        ),
        (
            "fn f() { let uow = app.store.begin(); drop(uow); app.store.user(id); }",
            false,
        ),
        (
            "fn f() { app.store.user(id); let uow = app.store.begin(); uow.user(id); }",
            false,
        ),
        ("fn f() { app.store.begin(); app.store.begin(); }", false),
    ] {
        let text = format!(
            "struct S; impl S {{ {} }}",
            function.replace("fn f(", "async fn f(")
        );
        let reading = Reading::of(Path::new("f.rs"), &text);
        assert_eq!(!reading.found.is_empty(), is_second, "{function}");
    }
}

#[derive(Default)]
struct Reading {
    file: String,
    function: String,
    is_begun: bool,
    begun: usize,
    found: Vec<String>,
}

impl Reading {
    fn of(path: &Path, text: &str) -> Self {
        let mut reading = Self {
            file: path.display().to_string(),
            ..Self::default()
        };
        reading.visit_file(&syn::parse_file(text).expect("a source"));
        reading
    }

    fn enter(&mut self, signature: &Signature) {
        self.function = signature.ident.to_string();
        self.is_begun = signature.inputs.iter().any(|input| match input {
            FnArg::Typed(typed) => names_a_unit_of_work(&typed.ty),
            FnArg::Receiver(_) => false,
        });
    }
}

impl<'a> Visit<'a> for Reading {
    fn visit_item_fn(&mut self, item: &'a ItemFn) {
        self.enter(&item.sig);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a ImplItemFn) {
        self.enter(&item.sig);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_expr_call(&mut self, call: &'a ExprCall) {
        visit::visit_expr_call(self, call);
        if is_named(&call.func, "drop") && call.args.iter().any(|of| is_named(of, "uow")) {
            self.is_begun = false;
        }
    }

    fn visit_expr_method_call(&mut self, call: &'a ExprMethodCall) {
        visit::visit_expr_method_call(self, call);
        if !is_named(&call.receiver, "store") {
            return;
        }
        if call.method == "begin" {
            self.is_begun = true;
            self.begun += 1;
        } else if self.is_begun {
            let (file, function, method) = (&self.file, &self.function, &call.method);
            let found = format!("{file}: {function} calls `store.{method}` in a unit of work");
            self.found.push(found);
        }
    }
}

/// Whether an expression is a variable or a field of this name.
fn is_named(expression: &Expr, name: &str) -> bool {
    match expression {
        Expr::Path(path) => path.path.is_ident(name),
        Expr::Field(field) => matches!(&field.member, Member::Named(member) if member == name),
        _ => false,
    }
}

fn names_a_unit_of_work(of: &Type) -> bool {
    struct Names(bool);
    impl<'a> Visit<'a> for Names {
        fn visit_ident(&mut self, ident: &'a syn::Ident) {
            self.0 |= ident == "UnitOfWork";
        }
    }
    let mut names = Names(false);
    names.visit_type(of);
    names.0
}
