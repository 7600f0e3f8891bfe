//! Is every file and every function short enough to be read in one sitting?
//!
//! Only production lines count: tests may tell their stories at the length they need.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, ImplItemFn, ItemFn, Signature, TraitItemFn};

use crate::{Fault, House, Source};

/// A file longer than this answers more than one question.
pub const FILE_LINES_MAX: usize = 500;

/// A function longer than this no longer fits one screen, from the line of `fn` to the last brace.
pub const FUNCTION_LINES_MAX: usize = 60;

/// Names every file with too many production lines.
pub fn files(house: &House) -> Vec<Fault> {
    house.sources.iter().filter_map(check_file).collect()
}

fn check_file(source: &Source) -> Option<Fault> {
    let lines = source.production_lines();
    (lines > FILE_LINES_MAX).then(|| {
        Fault::at(&source.file, 1)
            .found(format!("{lines} production lines"))
            .expected(format!("at most {FILE_LINES_MAX}: one file, one question"))
    })
}

/// Names every production function that is too long.
pub fn functions(house: &House) -> Vec<Fault> {
    house.sources.iter().flat_map(check_functions).collect()
}

fn check_functions(source: &Source) -> Vec<Fault> {
    let mut search = FunctionSearch { source, faults: Vec::new() };
    search.visit_file(&source.syntax);
    search.faults
}

struct FunctionSearch<'a> {
    source: &'a Source,
    faults: Vec<Fault>,
}

impl FunctionSearch<'_> {
    fn measure(&mut self, signature: &Signature, body: &Block) {
        let first = signature.fn_token.span().start().line;
        let lines = body.span().end().line - first + 1;
        if lines > FUNCTION_LINES_MAX && self.source.is_production(first) {
            self.faults.push(
                Fault::at(&self.source.file, first)
                    .found(format!("`{}` with {lines} lines", signature.ident))
                    .expected(format!("at most {FUNCTION_LINES_MAX}")),
            );
        }
    }
}

impl<'ast> Visit<'ast> for FunctionSearch<'_> {
    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.measure(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, method: &'ast ImplItemFn) {
        self.measure(&method.sig, &method.block);
        visit::visit_impl_item_fn(self, method);
    }

    fn visit_trait_item_fn(&mut self, method: &'ast TraitItemFn) {
        if let Some(body) = &method.default {
            self.measure(&method.sig, body);
        }
        visit::visit_trait_item_fn(self, method);
    }
}
