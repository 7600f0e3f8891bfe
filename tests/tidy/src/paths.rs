//! Which paths does a run of tokens name, also inside `use a::{b, c::d}`?
//!
//! Not here: which of them are refused (see `purity`, `tasks`).

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Whether a path is this one, or lies below it.
pub fn begins_with(path: &[String], start: &[&str]) -> bool {
    path.len() >= start.len() && path.iter().zip(start).all(|(a, b)| a == b)
}

/// Collects every path that begins with `path` and goes on in `rest`: `std::{fs, io::Read}` is two.
pub fn follow(path: Vec<String>, rest: &[TokenTree], paths: &mut Vec<Vec<String>>) {
    let [TokenTree::Punct(a), TokenTree::Punct(b), next, ..] = rest else {
        return end(path, rest, paths);
    };
    if a.as_char() != ':' || b.as_char() != ':' {
        return end(path, rest, paths);
    }
    match next {
        TokenTree::Ident(segment) => {
            let path = [path, vec![segment.to_string()]].concat();
            follow(path, &rest[3..], paths);
        }
        TokenTree::Punct(star) if star.as_char() == '*' => {
            paths.push([path, vec!["*".to_owned()]].concat());
        }
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
            branches(&path, group.stream(), paths);
        }
        _ => paths.push(path),
    }
}

fn branches(path: &[String], stream: TokenStream, paths: &mut Vec<Vec<String>>) {
    let tokens: Vec<TokenTree> = stream.into_iter().collect();
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(it) if it.as_char() == ',');
    for branch in tokens.split(is_comma) {
        match branch {
            [TokenTree::Ident(first), rest @ ..] => {
                let path = match first.to_string().as_str() {
                    "self" => path.to_vec(),
                    name => [path, &[name.to_owned()]].concat(),
                };
                follow(path, rest, paths);
            }
            [TokenTree::Punct(star)] if star.as_char() == '*' => {
                paths.push([path, &["*".to_owned()]].concat());
            }
            _ => {}
        }
    }
}

/// A path ends here; `std as other` is kept as the path `std::as`, so that no alias hides it.
fn end(mut path: Vec<String>, rest: &[TokenTree], paths: &mut Vec<Vec<String>>) {
    let is_alias = matches!(rest.first(), Some(TokenTree::Ident(next)) if next == "as");
    if is_alias && path.len() == 1 {
        path.push("as".to_owned());
    }
    paths.push(path);
}
