//! A Rust file as the rules see it: which paths and macros it mentions, and where, without comments and texts.

/// What a file says that a rule may ask about.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// Every path, with the lists of `use` written out.
    pub(super) mentions: Vec<Mention>,
    /// Words in comments that promise to come back.
    pub(super) unfinished: Vec<(usize, &'static str)>,
    /// What `env!` and `option_env!` ask for.
    pub(super) built_in_variables: Vec<(usize, String)>,
    /// The words between `static` and `=`.
    pub(super) statics: Vec<(usize, Vec<String>)>,
}

/// One path, such as `crate::model::name`, or one lone name.
#[derive(Debug, Clone)]
pub(super) struct Mention {
    /// Where, from 1.
    pub(super) line: usize,
    /// Its parts; at least one.
    pub(super) path: Vec<String>,
    /// Whether a `!` follows.
    pub(super) is_macro: bool,
    /// Whether it is called on a value, as in `value.unwrap()`.
    pub(super) is_method: bool,
    /// Whether it stands under `#[cfg(test)]`.
    pub(super) in_tests: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Text(String),
    /// `::`
    Path,
    Sign(char),
}

impl Source {
    pub(super) fn read(text: &str) -> Self {
        let mut source = Self::default();
        let tokens = source.tokens(text);
        let tests = tests_of(&tokens);
        let in_tests = |at: usize| tests.iter().any(|range| range.contains(&at));
        let mut at = 0;
        while at < tokens.len() {
            let (line, token) = &tokens[at];
            let before = at.checked_sub(1).and_then(|before| tokens.get(before)).map(|(_, token)| token);
            match token {
                Token::Word(word) if word == "static" => {
                    let rest = tokens[at + 1..].iter().take_while(|(_, token)| *token != Token::Sign('='));
                    let words = rest.filter_map(|(_, token)| match token {
                        Token::Word(word) => Some(word.clone()),
                        _ => None,
                    });
                    source.statics.push((*line, words.collect()));
                    at += 1;
                }
                Token::Word(word) => {
                    if let (
                        "env" | "option_env",
                        [(_, Token::Sign('!')), (_, Token::Sign('(')), (_, Token::Text(name)), ..],
                    ) = (word.as_str(), &tokens[at + 1..])
                    {
                        source.built_in_variables.push((*line, name.clone()));
                    }
                    let is_method = before == Some(&Token::Sign('.'));
                    let mut found = Vec::new();
                    let end = paths(&tokens, at, &[], &mut found);
                    let is_macro = tokens.get(end).is_some_and(|(_, token)| *token == Token::Sign('!'));
                    source.mentions.extend(found.into_iter().map(|(line, path)| Mention {
                        line,
                        path,
                        is_macro,
                        is_method,
                        in_tests: in_tests(at),
                    }));
                    at = end;
                }
                _ => at += 1,
            }
        }
        source
    }

    /// The tokens with their lines; on the way, what comments say.
    fn tokens(&mut self, text: &str) -> Vec<(usize, Token)> {
        let chars: Vec<char> = text.chars().collect();
        let mut tokens = Vec::new();
        let (mut at, mut line) = (0, 1);
        while let Some(&c) = chars.get(at) {
            let next = chars.get(at + 1).copied();
            let start = at;
            let token = match c {
                '/' if next == Some('/') => {
                    at = until(&chars, at, "\n");
                    None
                }
                '/' if next == Some('*') => {
                    at = block(&chars, at);
                    None
                }
                '"' => {
                    at = quoted(&chars, at + 1, '"');
                    Some(Token::Text(chars[start + 1..at.saturating_sub(1).max(start + 1)].iter().collect()))
                }
                '\'' if next == Some('\\') || chars.get(at + 2) == Some(&'\'') => {
                    at = quoted(&chars, at + 1, '\'');
                    Some(Token::Text(String::new()))
                }
                '\'' => {
                    at += 1;
                    at += chars[at..].iter().take_while(|c| is_word(**c)).count();
                    None
                }
                ':' if next == Some(':') => {
                    at += 2;
                    Some(Token::Path)
                }
                c if is_word(c) => {
                    at += chars[at..].iter().take_while(|c| is_word(**c)).count();
                    let word: String = chars[start..at].iter().collect();
                    let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
                    let is_text = chars.get(at + hashes) == Some(&'"');
                    match word.as_str() {
                        "r" | "br" | "cr" if is_text => {
                            let end = format!("\"{}", "#".repeat(hashes));
                            at = (until(&chars, at + hashes + 1, &end) + end.len()).min(chars.len());
                            Some(Token::Text(String::new()))
                        }
                        // What is raw by its `#`, such as `r#type`, is the word after it.
                        "r" if hashes == 1 => None,
                        _ => Some(Token::Word(word)),
                    }
                }
                c => {
                    at += 1;
                    (!c.is_whitespace()).then_some(Token::Sign(c))
                }
            };
            let at_line = line;
            if c == '/' && token.is_none() {
                let comment: String = chars[start..at].iter().collect();
                for (offset, text) in comment.lines().enumerate() {
                    for word in text.split(|c| !is_word(c)) {
                        if let Some(word) = ["TODO", "FIXME"].into_iter().find(|unfinished| *unfinished == word) {
                            self.unfinished.push((at_line + offset, word));
                        }
                    }
                }
            }
            line += chars[start..at].iter().filter(|c| **c == '\n').count();
            tokens.extend(token.map(|token| (at_line, token)));
        }
        tokens
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where this text begins, or the end.
fn until(chars: &[char], from: usize, text: &str) -> usize {
    let text: Vec<char> = text.chars().collect();
    (from..chars.len()).find(|at| chars[*at..].starts_with(&text)).unwrap_or(chars.len())
}

/// The end of a block comment, which may hold others.
fn block(chars: &[char], from: usize) -> usize {
    let (mut depth, mut at) = (0_usize, from);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at.min(chars.len())
}

/// The end of a text that began before `from`, behind its closing sign.
fn quoted(chars: &[char], from: usize, closing: char) -> usize {
    let mut at = from;
    while at < chars.len() && chars[at] != closing {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

/// Takes the path that begins at a word, with all that a list in braces makes of it; answers where it ends.
fn paths(tokens: &[(usize, Token)], from: usize, before: &[String], found: &mut Vec<(usize, Vec<String>)>) -> usize {
    let mut path = before.to_vec();
    let mut at = from;
    let line = tokens[from].0;
    while let Some((_, Token::Word(word))) = tokens.get(at) {
        path.push(word.clone());
        at += 1;
        if tokens.get(at).is_none_or(|(_, token)| *token != Token::Path) {
            break;
        }
        at += 1;
        if tokens.get(at).is_some_and(|(_, token)| *token == Token::Sign('{')) {
            at += 1;
            while let Some((_, token)) = tokens.get(at) {
                match token {
                    Token::Word(_) => at = paths(tokens, at, &path, found),
                    Token::Sign('}') => return at + 1,
                    _ => at += 1,
                }
            }
            return at;
        }
    }
    if path.len() > before.len() {
        found.push((line, path));
    }
    at
}

/// Which tokens stand under `#[cfg(test)]`.
fn tests_of(tokens: &[(usize, Token)]) -> Vec<std::ops::Range<usize>> {
    let word = |text: &str| Token::Word(text.to_owned());
    let mark = [Token::Sign('['), word("cfg"), Token::Sign('('), word("test"), Token::Sign(')'), Token::Sign(']')];
    let mut ranges = Vec::new();
    for start in 0..tokens.len() {
        let is_mark = tokens[start..].iter().map(|(_, token)| token).take(mark.len()).eq(mark.iter());
        if !is_mark {
            continue;
        }
        let mut depth = 0_usize;
        let end = (start + mark.len()..tokens.len()).find(|at| {
            match tokens[*at].1 {
                Token::Sign('{') => depth += 1,
                Token::Sign('}') => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && matches!(tokens[*at].1, Token::Sign('}' | ';'))
        });
        ranges.push(start..end.unwrap_or(tokens.len()));
    }
    ranges
}
