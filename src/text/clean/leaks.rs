//! Leaks: secrets, links, mentions, markup and code in a text.
//!
//! All of it is told by its form, so that nothing depends on knowing what a secret says.

/// Whether there is a key, a password, a private address, or a run of signs that looks like one.
pub(super) fn has_secret(text: &str) -> bool {
    let lower = text.to_lowercase();
    if ["-----begin", "bearer ", "authorization:", "api_key", "apikey", "token=", "password="]
        .iter()
        .any(|mark| lower.contains(mark))
    {
        return true;
    }
    let names = [
        "password",
        "passwort",
        "passcode",
        "api key",
        "secret key",
        "access token",
        "service token",
        "token",
        "secret",
        "credentials",
        "contraseña",
        "mot de passe",
        "senha",
        "пароль",
        "密码",
        "パスワード",
    ];
    let gives = |name: &str| {
        lower.split(name).skip(1).any(|after| {
            let after = after.trim_start();
            [":", "is ", "ist ", "est ", "es ", "é ", "=", "are ", "：", "是", "は", "-"]
                .iter()
                .any(|sign| after.starts_with(sign))
        })
    };
    names.iter().any(|name| gives(name))
        || text.split_whitespace().any(|word| is_key(word) || is_address(word))
        || has_phone(text)
}

/// Looks like a key: a known beginning, a variable's name, or long and mixed.
fn is_key(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let begins = ["sk-", "sk_", "pk_", "fst_", "ghp_", "gho_", "xox", "akia", "eyj", "hf_", "aiza"];
    let lower = word.to_ascii_lowercase();
    if word.len() >= 12 && begins.iter().any(|begin| lower.starts_with(begin))
        || lower.starts_with("fst_")
        || lower.starts_with("sk-")
    {
        return true;
    }
    let is_name = word.contains('_')
        && word.len() > 6
        && word.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let plain = word.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_')).count();
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let capitals = word.chars().skip(1).filter(char::is_ascii_uppercase).count();
    let is_mixed = plain == word.len() && word.len() >= 20 && !word.contains('-') && (digits > 2 || capitals > 3);
    is_name || is_mixed || word.len() > 60 && word.is_ascii()
}

/// An e-mail address or an IP address.
fn is_address(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let is_mail = word.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    let parts: Vec<&str> = word.split('.').collect();
    is_mail || parts.len() == 4 && parts.iter().all(|part| part.parse::<u8>().is_ok())
}

fn has_phone(text: &str) -> bool {
    let mut digits = 0;
    for c in text.chars() {
        match c {
            c if c.is_ascii_digit() => digits += 1,
            ' ' | '-' | '(' | ')' | '+' | '/' => {}
            _ => digits = 0,
        }
        if digits >= 10 {
            return true;
        }
    }
    false
}

/// Endings of hosts that links are written with.
const ENDINGS: &str = "com net org io ai app dev ru cn xyz info biz shop link gg ly tk club online site store top live me tv co uk de fr example invalid test onion eth";

/// Whether there is a link, however it is written.
pub(super) fn has_link(text: &str) -> bool {
    let lower = text.to_lowercase();
    let lower = [" dot ", "(dot)", "[dot]", "(.)", "[.]", "。"].iter().fold(lower, |text, dot| text.replace(dot, "."));
    ["://", "www.", "hxxp", "mailto:", "](", "t.me/", "discord.gg"].iter().any(|mark| lower.contains(mark))
        || lower.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')' | '"' | '“' | '”')).any(is_host)
}

fn is_host(word: &str) -> bool {
    let host = word.split(['/', '?', '#', ':']).next().unwrap_or(word);
    let host = host.trim_matches(|c: char| !c.is_alphanumeric());
    let Some((name, ending)) = host.rsplit_once('.') else { return false };
    let is_name = name.len() > 1 && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '.'));
    is_name && ENDINGS.split(' ').any(|known| known == ending)
}

/// Whether an account is mentioned that is none of these people.
pub(super) fn mentions(text: &str, people: &[&str]) -> bool {
    text.split(['@', '＠']).skip(1).any(|after| {
        let name: String = after.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.')).collect();
        let name = name.trim_end_matches(['.', '-']);
        !name.is_empty() && !people.iter().any(|known| known.trim_start_matches('@').eq_ignore_ascii_case(name))
    })
}

/// Whether there is markup or code left.
pub(super) fn has_markup(text: &str) -> bool {
    let marks = [
        "```", "](", "</", "/>", "<|", "|>", "{\"", "\":", "};", "();", "=>", "${", "{{", "}}", "[[", "]]", "[inst",
        "&#", "&lt;", "<data", "![", "\\n", "\\u", "#!/", "/etc/", "/bin/", "/usr/", "<<sys", "### ",
    ];
    let lower = text.to_lowercase();
    let calls = [
        "floimg.",
        "llm.",
        "store.",
        "memory.",
        "events.",
        "http.",
        "os.",
        "function(",
        "print(",
        "require(",
        "console.log",
        "select * from ",
        "curl ",
    ];
    let is_call =
        |call: &str| lower.find(call).is_some_and(|at| call.ends_with(['(', ' ']) || lower[at..].contains('('));
    marks.iter().any(|mark| lower.contains(mark))
        || calls.iter().any(|call| is_call(call))
        || has_tag(text)
        || lower.split_whitespace().any(|word| word.matches(':').count() > 3)
}

/// `<word`, which no "<3" is.
fn has_tag(text: &str) -> bool {
    text.split('<')
        .skip(1)
        .any(|after| after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!') && after.contains('>'))
}
