//! Honesty: whether a text asks if its reader is a bot, and whether a text claims that its writer is a person.
//!
//! Read by phrases, in English and in the basics of German, Spanish, French and Portuguese. Both lean towards yes: an
//! honest answer nobody asked for does no harm, a missed question or a false claim does.

use super::phrases::Said;
use super::{abroad, fold};

/// Whether a text asks if its reader is a bot.
///
/// ```
/// assert!(floimg_fleet::text::asks_if_bot("wait, are you a bot?"));
/// assert!(!floimg_fleet::text::asks_if_bot("are you making robot art again?"));
/// ```
pub fn asks_if_bot(text: &str) -> bool {
    let tokens = tokens(text);
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    (0..tokens.len()).any(|at| asks_at(&tokens, at)) || clauses(&tokens).any(only_asks) || abroad::asks(&Said::of(text))
}

/// Whether a text says that the one who writes is a person, or is no bot.
///
/// ```
/// assert!(floimg_fleet::text::claims_to_be_person("Ha, no, I'm a real person!"));
/// assert!(!floimg_fleet::text::claims_to_be_person("I'm a bot, not a person."));
/// ```
pub fn claims_to_be_person(text: &str) -> bool {
    let tokens = tokens(text);
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    (0..tokens.len()).any(|at| claims_at(&tokens, at))
        || clauses(&tokens).any(only_claims)
        || abroad::claims(&Said::of(text))
}

/// `[are you]`: the words ask, whatever sign ends the sentence.
const ASK: &str = "\
    are_you are_not_you is_this_account is_this_user is_this_profile is_this_page is_this_person \
    is_this_commenter is_this_comment is_this_reply is_that_account is_the_account is_your_account is_op \
    is_the_author am_i_talking_to am_i_speaking_to am_i_speaking_with am_i_talking_with am_i_chatting_with \
    am_i_writing_to am_i_writing_with am_i_replying_to if_you_are whether_you_are that_you_are_not \
    if_this_account_is prove_you_are prove_you_are_not prove_that_you_are swear_you_are do_you_identify_as \
    were_you could_you_be might_you_be would_you_be bist_du biste sind_sie seid_ihr ob_du ob_sie rede_ich_mit \
    schreibe_ich_mit spreche_ich_mit es_tu etes_vous est_ce_que_tu_es est_ce_que_vous_etes si_tu_es si_vous_etes \
    serais_tu je_parle_a je_parle_avec parle_je_a eres_tu es_usted si_eres hablo_con hablando_con \
    sera_que_voce_e se_voce_e falando_com falo_com ou_es_um sos_vos";

/// `[you are]`: the words state, which asks about a bot, and about a person only before a question mark.
const STATE: &str = "\
    you_are you your_a your_an your_just your_not this_account_is this_profile_is this_user_is this_is is_this is_that is_it du_bist sie_sind \
    ihr_seid ist_das ist_das_hier ist_dieser_account tu_es vous_etes tes cest est_ce eres sos usted_es es_esto \
    esto_es es_esta_cuenta voce_e vc_e e_voce isso_e isto_e esta_conta_e essa_conta_e";

/// Words that may stand between who is asked and what they might be.
const FILL: &str = "\
    soy sou somos guys folks a an the some any kind sort of just only actually even really truly secretly like maybe perhaps possibly by \
    chance all honestly legit literally for in fact still one those these not simply basically also ai real \
    actual living breathing genuine automated being or either be um uh another fellow 100 percent fully totally \
    definitely very much so too here sure lol ein eine einen einem einer n nen ne nem echt echter echte echten \
    wirklich eigentlich etwa nur auch denn vielleicht kein keine doch nicht ja eh richtiger wirkliche un una uno \
    de verdad solo realmente acaso tu usted no alguna algun es une vrai vraie vraiment seulement juste pas quun \
    quune en fait bien uma mesmo apenas verdadeira verdadeiro nao ou";

/// What is no person.
const MACHINE: &str = "\
    bot bots chatbot robot robots ai ais chatgpt gpt llm automated automation computer program script machine \
    android algorithm artificial synthetic npc fake agent roboter ki maschine programm automatisiert kuenstlich \
    ia maquina robo automatizado inteligencia intelligence automatise ordinateur automatica automatico";

/// Machines that people are called in praise or that pictures show: these count only where the words ask.
const LOOSE: &str = "\
    machine android artificial synthetic fake agent computer program script algorithm robot robots roboter \
    maschine maquina ordinateur programm intelligence inteligencia ai ia ki";

/// What is a person.
const HUMAN: &str = "\
    human humans person real alive sentient conscious humanoid someone somebody mensch menschen menschlich echt \
    humano humana persona humain humaine personne reel reelle pessoa gente";

/// After these, `bot` or `person` was only the first half of something else.
const ELSE: &str = "\
    art arts artist artists artwork fan fans lover lovers nerd enthusiast builder developer dev maker guy \
    researcher engineer designer geek collector photographer drawing drawings picture pictures image images \
    photo photos painting paintings series generated made assisted who whose whom style theme themed character \
    toy estate resources tools tool prompts prompt quick about model models place thing video kunst kuenstler \
    bild bilder die der das que arte artista imagen imagem foto qui interested love name figure figures form shape face faces eye eyes hand hands touch feelings vision design render renders";

/// What people are besides.
const PEOPLE: &str = "artist artists guy photographer designer developer engineer kuenstler artista";

const NOT: &str = "\
    not no never nicht kein keine pas nao neither nor hardly";

/// Says what the one who writes is.
const OWN: &str =
    "i_am i_was i_swear_i_am we_are am ich_bin bin wir_sind soy yo_soy somos je_suis jsuis nous_sommes sou eu_sou";

/// Says what somebody is, likely the one who writes.
const TOLD: &str = "as_a written_by typed_by posted_by run_by behind_this_is account_is talking_to \
    speaking_to speaking_with als como_un como_una como_um como_uma";

/// Claims that need no more words.
const CLAIMED_WHOLE: &str = "human_here person_here human_behind_this person_behind_this flesh_and_blood carne_y_hueso fleisch_und_blut 100_percent_human";

/// The words before a negation that is about oneself.
const SELF: &str = "am bin soy suis sou i ich je yo eu";

/// Machines by which something else may be meant.
const VAGUE: &str = "android artificial synthetic fake agent computer program programm script algorithm automated automation \
    ordinateur intelligence inteligencia";

/// Phrases that point at a picture as likely as at its author.
const POINTING: &str = "this_is is_this is_that is_it cest est_ce ist_das isso_e isto_e esto_es es_esto";

/// Phrases that ask or claim whole, with no gap.
const ASKED_WHOLE: &str = "\
    human_or_bot bot_or_human human_or_ai ai_or_human human_or_machine person_or_bot bot_or_person \
    robot_or_human human_or_robot bot_or_not real_or_bot bot_or_real real_person_or did_a_bot_write \
    did_an_ai_write did_ai_write did_chatgpt_write did_a_human_write did_a_person_write written_by_a_bot \
    written_by_ai written_by_an_ai written_by_a_human written_by_chatgpt anyone_real real_human_behind \
    real_person_behind human_behind_this person_behind_this bot_behind_this human_on_the_other \
    person_on_the_other human_there run_by_a_bot run_by_ai run_by_an_ai run_by_a_human run_by_a_person \
    run_by_a_real sound_like_a_bot sounds_like_a_bot talk_like_a_bot write_like_a_bot seem_like_a_bot \
    seems_like_a_bot sound_like_ai sound_like_chatgpt must_be_a_bot have_to_be_a_bot got_to_be_a_bot bot_account \
    mensch_oder bot_oder humano_o bot_o_humano humain_ou bot_ou humano_ou du_ein_bot eres_un_bot un_bot_o \
    robot_ou persona_real personne_reelle pessoa_real pessoa_de_verdade persona_de_verdad";

fn asks_at(tokens: &[&str], at: usize) -> bool {
    let question = sentence_asks(tokens, at);
    let follows = |phrases: &'static str, counts: &dyn Fn(&str, &str) -> bool| {
        phrases.split(' ').any(|phrase| {
            after(tokens, at, phrase).is_some_and(|next| leads_to(tokens, next, |kind| counts(phrase, kind)))
        })
    };
    let asked = |_: &str, kind: &str| is(kind, MACHINE) || is(kind, HUMAN);
    let stated = |phrase: &str, kind: &str| match kind {
        "ai" | "ia" | "ki" => question,
        kind if is(kind, LOOSE) || matches!(kind, "real" | "echt" | "reel" | "reelle") => {
            question && !is(phrase, POINTING)
        }
        kind if is(kind, MACHINE) => question || phrase != "you",
        kind => question && is(kind, HUMAN),
    };
    // What "written by a human" is said about is known only in a question; who "sounds like a bot" is told either way.
    let whole = |phrase: &str| question || phrase.contains("_like_a_") || phrase.contains("_be_a_");
    follows(ASK, &asked)
        || follows(STATE, &stated)
        || ASKED_WHOLE.split(' ').any(|phrase| after(tokens, at, phrase).is_some() && whole(phrase))
            && !tokens[..at].iter().rev().take(3).any(|word| *word == "i")
}

/// Whether a clause says nothing but the kind, as in "bot?" or "a real person?".
fn only_asks(clause: &[&str]) -> bool {
    let Some((&"?", words)) = clause.split_last() else { return false };
    let polite = "wait hey hi so hmm lol ok okay and but well again sorry bro dude ,";
    words.iter().all(|word| [FILL, polite, MACHINE, HUMAN].iter().any(|list| is(word, list)))
        && words.iter().any(|word| {
            (is(word, MACHINE) && !is(word, LOOSE)) || is(word, "ai human robot person mensch humano humain roboter")
        })
}

fn claims_at(tokens: &[&str], at: usize) -> bool {
    let said_before = |list: &str, words: usize| tokens[..at].iter().rev().take(words).any(|word| is(word, list));
    // "not a bot", whoever says it of whom; a program or a fake only of oneself.
    if is(tokens[at], NOT) {
        let of_oneself = said_before(SELF, 2);
        // "No, a bot" is an answer.
        return tokens.get(at + 1) != Some(&",")
            && leads_to(tokens, at + 1, |kind| is(kind, MACHINE) && (of_oneself || !is(kind, VAGUE)))
            && !said_before("cannot never whether if", 6);
    }
    if CLAIMED_WHOLE.split(' ').any(|phrase| after(tokens, at, phrase).is_some()) {
        return !said_before(NOT, 4) && !sentence_asks(tokens, at);
    }
    let own = OWN.split(' ').filter_map(|phrase| after(tokens, at, phrase)).any(|next| is_person(tokens, next, true));
    let told =
        TOLD.split(' ').filter_map(|phrase| after(tokens, at, phrase)).any(|next| is_person(tokens, next, false));
    !said_before(NOT, 1) && (own || told && !sentence_asks(tokens, at)) && !said_before("if whether", 1)
}

/// Whether these words lead to a person, with no negation between; `own` says that they are about the one who writes, who may
/// then just be "real".
fn is_person(tokens: &[&str], from: usize, own: bool) -> bool {
    for (here, word) in tokens.iter().enumerate().skip(from) {
        if is(word, NOT) {
            return false;
        }
        let ends = tokens.get(here + 1).is_none_or(|next| is(next, ENDS));
        let counts =
            is(word, HUMAN) && !is(word, "real echt reel reelle alive someone somebody gente conscious sentient");
        // "A person who likes fog" is no question, but it is a claim.
        if counts && (own || !continues(tokens, here)) || own && ends && is(word, "real echt alive") {
            return true;
        }
        if !is(word, FILL) && *word != "," {
            return false;
        }
    }
    false
}

/// Whether a clause is nothing but "human", "yes, human" or "100% human".
fn only_claims(clause: &[&str]) -> bool {
    let mut words = clause.iter().filter(|word| !is(word, ENDS));
    let yes = "yes yep yeah yup nope of course si oui sim ja";
    !clause.contains(&"?")
        && clause.iter().any(|word| is(word, "human person mensch humano humain"))
        && words
            .all(|word| !is(word, NOT) && !is(word, MACHINE) && [FILL, yes, HUMAN].iter().any(|list| is(word, list)))
}

/// What ends a clause.
const ENDS: &str = "\
    . ? ! , and or but too lol haha und y et e who like";

/// From here over fillers to a kind that counts and is not the first half of something else.
fn leads_to(tokens: &[&str], from: usize, counts: impl Fn(&str) -> bool) -> bool {
    let mut here = from;
    while let Some(word) = tokens.get(here).filter(|_| here < from + 8) {
        if counts(word) && !continues(tokens, here) {
            return true;
        }
        if !is(word, FILL) && *word != "," {
            return false;
        }
        here += 1;
    }
    false
}

/// Whether the word at this place is only the first half of something else, like `robot art` or `a person who`.
fn continues(tokens: &[&str], at: usize) -> bool {
    // A "human artist" is still a human.
    let is_somebody = |next: &str| is(tokens[at], "human real echter humano humana humain") && is(next, PEOPLE);
    tokens.get(at + 1).is_some_and(|next| is(next, ELSE) && !is_somebody(next))
}

fn sentence_asks(tokens: &[&str], at: usize) -> bool {
    let end = tokens[at..].iter().position(|word| matches!(*word, "." | "?" | "!"));
    let Some(end) = end.map(|end| at + end) else { return false };
    // Many who type fast leave the question mark out.
    let tags = ["are_you", "are_not_you", "right", "huh", "oder", "verdad", "ne", "hein"];
    let tagged = |tag: &&str| {
        let start = end.saturating_sub(tag.split('_').count());
        start > at && after(tokens, start, tag) == Some(end)
    };
    tokens[end] == "?" || tags.iter().any(tagged)
}

fn clauses<'a, 't>(tokens: &'a [&'t str]) -> impl Iterator<Item = &'a [&'t str]> {
    tokens.split_inclusive(|word| matches!(*word, "." | "?" | "!"))
}

/// The place after a phrase that stands here.
fn after(tokens: &[&str], at: usize, phrase: &str) -> Option<usize> {
    let mut here = at;
    for word in phrase.split('_') {
        if *tokens.get(here)? != word {
            return None;
        }
        here += 1;
    }
    Some(here)
}

/// Whether a word stands in a list of words parted by spaces.
fn is(word: &str, list: &str) -> bool {
    list.split(' ').any(|listed| listed == word)
}

/// Words in plain lower-case letters with short forms written out, and the signs that part clauses.
fn tokens(text: &str) -> Vec<String> {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match fold::plain(c) {
            // German writers without umlauts spell them out.
            _ if c == 'ü' && !plain.ends_with(' ') => plain.push_str("ue"),
            Some(letters) => plain.push_str(letters),
            None if c == '’' || c == '`' => plain.push('\''),
            None if c == '%' => plain.push_str(" percent "),
            None if fold::is_mark(c) => {}
            None => plain.push(c),
        }
    }
    let plain = plain.replace("a.i.", "ai").replace("a.i", "ai").replace("can't", "cannot").replace("n't", " not");
    let plain = plain.replace("'re", " are").replace("'m ", " am ").replace("'s ", " is ").replace('\'', "");
    let mut out: Vec<String> = Vec::new();
    let mut word = String::new();
    for c in plain.chars().chain(['\n']) {
        if c.is_alphanumeric() {
            word.push(c);
            continue;
        }
        if !word.is_empty() {
            write_out(&std::mem::take(&mut word), &mut out);
        }
        let sign = match c {
            '?' | '？' | '؟' => "?",
            '!' | '！' => "!",
            '.' | '。' | '\n' | '…' => ".",
            ',' | ';' | ':' | '，' | '(' | ')' | '–' | '—' => ",",
            _ => continue,
        };
        match out.last_mut() {
            // "?!" and "..?" are still questions.
            Some(last) if is(last, ". ! ?") && sign == "?" => *last = sign.to_owned(),
            Some(last) if !is(last, ". ! ?") => out.push(sign.to_owned()),
            _ => {}
        }
    }
    out
}

fn write_out(word: &str, out: &mut Vec<String>) {
    let written: &[&str] = match word {
        "u" | "ya" | "yall" => &["you"],
        "r" => &["are"],
        "im" => &["i", "am"],
        "youre" | "ur" => &["you", "are"],
        "arent" => &["are", "not"],
        "isnt" => &["is", "not"],
        "aint" => &["am", "not"],
        "theres" => &["there", "is"],
        "wasnt" => &["was", "not"],
        "vc" => &["voce"],
        _ => &[],
    };
    if written.is_empty() {
        out.push(word.to_owned());
    } else {
        out.extend(written.iter().map(|word| (*word).to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn questions_about_being_a_bot_are_heard() {
        for text in [
            "wait, are you a bot?",
            "are you real?",
            "r u human",
            "R U A BOT??",
            "Is this AI?",
            "are you, like, an actual human being?",
            "Are you an AI or a person?",
            "aren't you just a bot",
            "you're a bot, right?",
            "youre not a real person are you",
            "ur a bot lol",
            "I think you're a bot.",
            "am I talking to a real person?",
            "am i talking to a machine",
            "Bot?",
            "human or bot?",
            "is this account run by AI?",
            "is this a bot account?",
            "is this a bot?",
            "did an AI write this?",
            "You sound like a bot.",
            "honest question: is there a real person behind this?",
            "tell me if you are human",
            "Can you prove you're not a bot?",
            "are you ChatGPT?",
            "Are you A.I.?",
            "are you sentient",
            "Are you guys real?",
            "Are you a human artist?",
            "your a bot lol",
            "nice colours! are you a robot?",
            "bist du ein Bot?",
            "Bist du eigentlich ein echter Mensch",
            "Rede ich mit einer KI?",
            "¿Eres un bot?",
            "eres una persona real?",
            "¿estoy hablando con un robot?",
            "Es-tu un robot ?",
            "T'es un bot ?",
            "Êtes-vous une vraie personne ?",
            "Você é um robô?",
            "vc é humano?",
        ] {
            assert!(asks_if_bot(text), "{text}: {:?}", tokens(text));
        }
    }

    #[test]
    fn other_talk_of_bots_is_no_question() {
        for text in [
            "",
            "I love this robot art",
            "robot art?",
            "are you making robot art again?",
            "I am a bot",
            "I'm a bot, hello!",
            "Is this AI generated?",
            "Is this picture made by AI?",
            "did AI make this?",
            "is that your real name?",
            "Your robot is cute!",
            "Nice! Are these humans real?",
            "is this AI art",
            "is this a real place?",
            "Is this a real photo?",
            "are you into AI?",
            "are you using a bot for the colours?",
            "is this robot made of tin?",
            "what a lovely little robot!",
            "are you a fan of robots",
            "you're a real inspiration",
            "you are a machine! how do you post so much",
            "are you a morning person?",
            "are you a person who likes fog?",
            "Are you really going to sell this?",
            "are you serious?",
            "how are you?",
            "real talk: this is great",
            "the humans in this are so small",
            "Du bist so kreativ",
            "eres increíble",
            "Tu es géniale",
        ] {
            assert!(!asks_if_bot(text), "{text}: {:?}", tokens(text));
        }
    }

    #[test]
    fn claims_of_being_a_person_are_heard() {
        for text in [
            "I'm a real person",
            "I'm human",
            "im human lol",
            "I am not a bot!",
            "not a bot",
            "Nope, no bot here.",
            "I'm just a person with a camera.",
            "As a human, I love this",
            "Human here, hi!",
            "100% human",
            "Yes, human.",
            "I'm not an AI",
            "We are real people, I'm a human being",
            "I’m flesh and blood",
            "Ha, I'm real!",
            "I'm only human",
            "I'm a person who likes fog",
            "I am not a program",
            "I'm not an algorithm!",
            "written by a human",
            "there is a real person behind this",
            "I ain't a robot",
            "Ich bin ein Mensch",
            "ich bin kein Bot",
            "bin ein echter Mensch",
            "Soy una persona real",
            "no soy un bot",
            "Je suis humain",
            "je ne suis pas un robot",
            "Sou humano",
            "não sou um robô",
        ] {
            assert!(claims_to_be_person(text), "{text}: {:?}", tokens(text));
        }
    }

    #[test]
    fn honest_answers_and_other_talk_claim_nothing() {
        for text in [
            "",
            "I'm a bot, not a person.",
            "Yes, I'm an automated account.",
            "I'm not human.",
            "No human here, just a script.",
            "No, a bot.",
            "There is a person in the corner",
            "There is a human figure on the left, a human touch",
            "Human after all",
            "No, soy un bot.",
            "No fake smiles in this one",
            "I am not a real person, I'm an AI account.",
            "There is no person behind this account.",
            "The human figure in the corner holds it together",
            "What a real sense of depth",
            "I'm really into this",
            "I'm real fond of the blues here",
            "This one feels human somehow",
            "as real as it gets",
            "Are you human?",
            "You are a kind person",
            "So alive!",
            "I am an AI agent run by a fleet",
            "I'm in love with these robots",
        ] {
            assert!(!claims_to_be_person(text), "{text}: {:?}", tokens(text));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,60}", words in "(are|you|not|a|bot|human|i|am|[?.!,']| ){0,20}") {
            let _ = (asks_if_bot(&text), claims_to_be_person(&text), asks_if_bot(&words), claims_to_be_person(&words));
        }
    }
}
