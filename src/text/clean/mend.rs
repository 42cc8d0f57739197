//! Mending: what models put around a text, taken away.
//!
//! The words of the text itself are never changed, only left out.

use unicode_segmentation::UnicodeSegmentation;

use super::{Expected, Form};
use crate::text::{self, phrases::Said, untrusted};

/// How many emoji a text keeps.
const EMOJI: usize = 2;

pub(super) fn mend(answer: &str, expected: &Expected<'_>) -> String {
    let answer = without_thoughts(answer);
    let answer = up_to_marker(&answer);
    let answer: String =
        answer.chars().filter(|c| *c == '\u{200d}' || *c == '\u{fe0f}' || !untrusted::is_hidden(*c)).collect();
    let mut text = without_fence(answer.trim()).to_owned();
    // A lead-in may hold quotes, and quotes a lead-in.
    for _ in 0..3 {
        let before = text.clone();
        text = without_lead_in(&emphasis(&text), expected.form);
        text = without_quotes(&first_of_list(&text));
        if text == before {
            break;
        }
    }
    let text = match expected.form {
        Form::Title => text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned(),
        Form::Prose | Form::Reply | Form::Prompt => without_remarks(&text),
    };
    let text = few_emoji(&without_hashtags(&text));
    let text = tidy(&without_quotes(&text));
    let text = once(&text);
    let text = if expected.was_cut { whole(&text) } else { text };
    at_sentence(&text, expected.max_chars)
}

const THOUGHTS: [&str; 7] = ["think", "thinking", "thought", "reasoning", "reflection", "analysis", "scratchpad"];

/// Without what a model thought aloud; thoughts that never ended are all there is.
fn without_thoughts(answer: &str) -> String {
    let mut text = answer.replace('◁', "<").replace('▷', ">");
    for name in THOUGHTS {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        // Some templates leave the opening tag to the prompt.
        if let Some(at) = find(&text, &close).filter(|end| find(&text, &open).is_none_or(|start| start > *end)) {
            text = text[at + close.len()..].to_owned();
        }
        while let Some(start) = find(&text, &open) {
            let end = find(&text[start..], &close).map(|end| start + end + close.len());
            text = format!("{}{}", &text[..start], end.map(|end| &text[end..]).unwrap_or_default());
        }
    }
    text
}

/// Where a word of ASCII stands, in whatever case.
fn find(text: &str, word: &str) -> Option<usize> {
    text.as_bytes().windows(word.len()).position(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// What a model says before its template's own marks, or in its last channel.
fn up_to_marker(answer: &str) -> String {
    let last = answer.rfind("<|message|>").map_or(answer, |at| &answer[at + "<|message|>".len()..]);
    let ends = ["<|", "</s>", "<eos>", "<end_of_turn>", "\nUser:", "\nHuman:", "\nSystem:", "\nAssistant:"];
    let end = ends.iter().filter_map(|mark| last.find(mark)).filter(|at| *at > 0).min();
    last[..end.unwrap_or(last.len())].to_owned()
}

/// The inside of a code fence, when there is nothing else.
fn without_fence(text: &str) -> &str {
    let Some(inner) = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) else { return text };
    inner.split_once('\n').map_or(inner, |(first, rest)| if first.contains(' ') { inner } else { rest }).trim()
}

/// Words that lead up to a text: all of what stands before its colon must be of them.
const LEAD: &str = "\
    sure certainly absolutely of course okay ok alright great yes here is are heres s below a an the my your our for this that picture image \
    photo post under in on to as with about and short one two three possible suggested new final first draft option version attempt \
    sentence sentences words i wrote would be could suggestion idea concise warm friendly assistant bot answer response output result \
    klar gerne naturlich hier ist kommt ein eine einen der die das dein mein zu zum bild vorschlag assistent \
    voici bien sur un une le la mon ton pour cette image photo claro aqui esta tienes un una el para tu esta imagen foto por supuesto \
    segue seu sua uma o certo ecco il lo la per questa immagine ecco hier is een voor deze oto konechno vot";
/// What the text is called there.
const KINDS: &str = "\
    comment caption title reply response answer prompt text description options versions drafts comments captions titles replies post message draft option version \
    kommentar titel antwort bildunterschrift beschreibung vorschlag commentaire legende titre reponse comentario titulo respuesta leyenda \
    descripcion legenda resposta commento titolo risposta didascalia reactie onderschrift kommentariy nazvanie otvet assistant output";

/// Without "Sure, here is a comment:" and "Title:".
fn without_lead_in(text: &str, form: Form) -> String {
    let text = text.trim_start();
    if let Some((lead, rest)) = text
        .split_once([':', '：'])
        .filter(|(lead, rest)| lead.len() < 120 && !lead.contains(['{', '[', '"']) && !rest.trim().is_empty())
    {
        let said = Said::of(lead);
        let words: Vec<&str> = said.words().collect();
        let is = |word: &str, list: &str| list.split_whitespace().any(|known| known == word);
        let is_number = |word: &str| word.chars().all(|c| c.is_ascii_digit());
        let leads = words.iter().any(|word| is(word, KINDS))
            && words.iter().all(|word| is(word, KINDS) || is(word, LEAD) || is_number(word));
        if leads {
            return rest.trim().to_owned();
        }
    }
    if form != Form::Reply {
        for lead in [
            "Sure!",
            "Sure thing!",
            "Certainly!",
            "Of course!",
            "Absolutely!",
            "Gerne!",
            "Natürlich!",
            "¡Claro!",
            "Bien sûr !",
        ] {
            if let Some(rest) = text.strip_prefix(lead).filter(|rest| !rest.trim().is_empty()) {
                return rest.trim().to_owned();
            }
        }
    }
    text.to_owned()
}

/// The first of several that were offered as a list.
fn first_of_list(text: &str) -> String {
    let item = |line: &str| {
        let line = line.trim();
        let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
        if number.len() < line.len() && line.len() - number.len() <= 2 {
            return number
                .strip_prefix(['.', ')'])
                .filter(|rest| rest.starts_with(' '))
                .map(|rest| rest.trim().to_owned());
        }
        ["- ", "* ", "• ", "– "].iter().find_map(|mark| line.strip_prefix(mark)).map(|rest| rest.trim().to_owned())
    };
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.next().and_then(item).unwrap_or_else(|| text.to_owned())
}

const QUOTES: [(char, char); 10] = [
    ('"', '"'),
    ('“', '”'),
    ('„', '“'),
    ('„', '”'),
    ('«', '»'),
    ('»', '«'),
    ('‘', '’'),
    ('\'', '\''),
    ('「', '」'),
    ('『', '』'),
];

/// Without the quotes around the whole of it, and what follows a quoted first line.
fn without_quotes(text: &str) -> String {
    let mut text = text.trim();
    while let Some(inner) = QUOTES.iter().find_map(|(open, close)| {
        let rest = text.strip_prefix(*open)?;
        let end = rest.find(*close)?;
        let after = &rest[end + close.len_utf8()..];
        let is_all = after.trim().is_empty() || after.starts_with('\n') || after.trim_start().starts_with('(');
        (is_all && end > 0).then(|| rest[..end].trim())
    }) {
        text = inner;
    }
    text.to_owned()
}

/// Without stars, underscores and other marks of emphasis around words, and marks of headings before lines.
fn emphasis(text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| {
            let bare = line.trim_start().trim_start_matches('#');
            let heading = line.trim_start().starts_with("# ") || line.trim_start().starts_with("##");
            let line = if heading { bare.trim_start() } else { line };
            line.strip_prefix("> ").unwrap_or(line).replace("**", "").replace("__", "")
        })
        .collect();
    let mut text = lines.join("\n");
    for tag in [
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<em>",
        "</em>",
        "<strong>",
        "</strong>",
        "<br>",
        "<br/>",
        "<br />",
    ] {
        text = text.replace(tag, " ");
    }
    for mark in ['*', '_', '`'] {
        // A pair around words goes; one alone is an "o_o".
        let parts: Vec<&str> = text.split(mark).collect();
        let wraps = parts.len() % 2 == 1
            && parts.len() > 1
            && parts
                .iter()
                .skip(1)
                .step_by(2)
                .all(|part| !part.is_empty() && part.trim() == *part && !part.contains('\n'));
        if wraps {
            text = parts.concat();
        }
    }
    text
}

const REMARKS: &[&str] = &[
    "^ let me know",
    "^ i hope",
    "^ hope this",
    "^ feel free to",
    "^ would you like",
    "^ note",
    "^ this comment|caption|title|reply|version",
    "^ explanation|reasoning|rationale|alternatively",
    "^ word|character count|limit",
    "^ please let",
    "^ option",
    "^ hinweis|anmerkung",
    "^ ich hoffe",
    "^ jespere",
    "^ nhesite*",
    "^ espero que",
    "^ avisame",
    "^ spero che",
    "^ laat me weten",
    "^ characters|words|tokens",
];

/// The text without the paragraphs that only speak of it, on one line.
fn without_remarks(text: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let bare = line.trim_start_matches(['(', '[', '*', '-', '_']);
        let first: String = bare.split_inclusive(' ').take(5).collect();
        let is_rule = line.chars().all(|c| matches!(c, '-' | '*' | '_' | '='));
        if is_rule || Said::of(&first).has(REMARKS) && !kept.is_empty() {
            break;
        }
        kept.push(line);
    }
    let text = kept.join(" ");
    // "(142 characters)"
    match text.rfind(" (").filter(|_| text.ends_with(')')) {
        Some(at)
            if Said::of(&text[at..]).has(&["characters|chars|words|zeichen|tokens|caracteres|caracteres|note"]) =>
        {
            text[..at].to_owned()
        }
        _ => text,
    }
}

fn without_hashtags(text: &str) -> String {
    let is_tag = |word: &str| word.starts_with('#') && word.chars().nth(1).is_some_and(char::is_alphabetic);
    let words: Vec<&str> = text.split(' ').collect();
    let last = words.iter().rposition(|word| !is_tag(word) && !word.is_empty()).map_or(0, |at| at + 1);
    let kept: Vec<&str> = words[..last].iter().map(|word| if is_tag(word) { &word[1..] } else { word }).collect();
    kept.join(" ")
}

/// A few emoji say what a row of them does.
fn few_emoji(text: &str) -> String {
    let mut seen = 0;
    let stays = |sign: &&str| {
        seen += usize::from(sign.chars().any(is_emoji));
        seen <= EMOJI || !sign.chars().any(is_emoji)
    };
    text.graphemes(true).filter(stays).collect()
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{1f000}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}' | '\u{2b50}' | '\u{2b55}' | '\u{231a}'..='\u{23ff}')
}

/// One space between words, and one sign where somebody shouts.
fn tidy(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let twice = [c, c].iter().collect::<String>();
        let again = matches!(c, '!' | '?') && out.ends_with(&twice) || matches!(c, ',' | '…') && out.ends_with(c);
        if !again {
            out.push(c);
        }
    }
    out.replace("....", "…").replace("...", "…")
}

/// Every sentence once.
fn once(text: &str) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for sentence in text.split_sentence_bounds() {
        if !seen.iter().any(|before| before.trim().eq_ignore_ascii_case(sentence.trim())) {
            seen.push(sentence);
        }
    }
    seen.concat().trim_end().to_owned()
}

/// Without a last sentence that does not end, where another stands before it.
fn whole(text: &str) -> String {
    let ends = |sentence: &str| sentence.trim_end().ends_with(['.', '!', '?', '…', '。', '！', '？', '"', '”']);
    let mut sentences: Vec<&str> = text.split_sentence_bounds().collect();
    if sentences.len() > 1 && sentences.last().is_some_and(|last| !ends(last)) {
        sentences.pop();
    }
    sentences.concat().trim_end().to_owned()
}

/// As many whole sentences as fit; a first one that is too long is cut at a word.
fn at_sentence(text: &str, chars: usize) -> String {
    if text::length(text) <= chars {
        return text.to_owned();
    }
    let mut kept = String::new();
    for sentence in text.split_sentence_bounds() {
        if text::length((kept.clone() + sentence).trim_end()) > chars {
            break;
        }
        kept.push_str(sentence);
    }
    let kept = kept.trim_end();
    if kept.is_empty() { text::clip(text, chars) } else { kept.to_owned() }
}
