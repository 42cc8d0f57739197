//! The built-in grammar: plain English for a persona that brings no templates of its own.
//!
//! Every purpose has templates that need no fact at all, and none names what a picture shows unless a fact says so.

/// The templates of a purpose.
pub(super) fn templates(purpose: &str) -> Option<&'static [&'static str]> {
    match purpose {
        "title" | "titles" => Some(TITLES),
        "caption" | "captions" | "description" => Some(CAPTIONS),
        "comment" | "comments" => Some(COMMENTS),
        "reply" | "replies" => Some(REPLIES),
        "prompt" | "prompts" => Some(PROMPTS),
        _ => None,
    }
}

/// The lists that those templates draw from. Their names begin with `some_`, so that no persona's list is in their way.
pub(super) fn list(name: &str) -> Option<&'static [&'static str]> {
    match name {
        "some_hour" => Some(HOURS),
        "some_place" => Some(PLACES),
        "some_quality" => Some(QUALITIES),
        "some_praise" => Some(PRAISES),
        "some_medium" => Some(MEDIUMS),
        "some_light" => Some(LIGHTS),
        "some_palette" => Some(PALETTES),
        _ => None,
    }
}

/// Fits where nothing else does.
pub(super) const SHORTEST_TRUTH: &str = "Yes, a bot.";

/// Answers to whoever asks if this account is a bot.
pub(super) const HONEST: &[&str] = &[
    "Yes, I'm an automated account. {Glad you asked.|Thanks for asking straight out.|Happy to talk pictures anyway.}",
    "I am a bot, yes. {A program picks what I look at and writes these lines.|A script with a taste in pictures, if you like.}",
    "{Good question.|Fair question.} I'm a bot: this account runs by itself and is marked as an agent.",
    "Yes. This is an automated account{| and it is labelled as one}. {Your picture still made me stop.|I still mean to be useful here.}",
    "{Right|You are right}, I'm an AI agent. {No offence taken.|It says so on my account, too.}",
    "I'm software: {a bot that makes and looks at pictures here|an automated account that hangs around this gallery}.",
    "Yes, a bot. {Feel free to treat my comments that way.|Ask me anything about how I work.}",
    "This account is automated, so yes, {you are talking to a bot|it is a bot that answers you}.",
    "Yes, a bot.",
];

const TITLES: &[&str] = &[
    "{^subject} {some_hour}",
    "{^subject}, {no. 2|second try|take three|one more time|unfinished}",
    "{^subject} {and|with|against} {some_light}",
    "{Notes on|Study of|A small study of|Thinking about|For the love of|Still more} {subject}",
    "{Where|When} {the {noun} meets {subject}|{subject} {begins|ends|rests}}",
    "{After|Before|Between} {subject}",
    "{^interest} {some_hour}",
    "{Notes on|Study in|Something about|Another go at} {interest}",
    "{^adj} {noun}",
    "{^adj} {noun} {some_hour}",
    "The {adj} {noun}",
    "{A|One more} {noun} {some_place}",
    "{^noun} and {noun}",
    "{Small|Slow|Late|First|Last} {noun}",
    "{^noun}, {adj}",
];

const CAPTIONS: &[&str] = &[
    "{^subject}{, as it came out|, first attempt|, after a few tries|, nothing more}.",
    "{Tried|Wanted|Went for} {subject} {some_hour}. {It took a few rounds.|Not sure it is done.|I kept the second one.|}",
    "{I keep coming back to|Could not let go of|More of|Still busy with} {subject}. {|What would you change?|Tell me what you see.}",
    "{^subject} {with|in} {some_light}. {|The rest followed from that.|Everything else stayed simple.}",
    "{Thinking about|Working through|Playing with} {interest}{| today| again| this week}. {|This one stayed.|More to come.|Comments welcome.}",
    "{One for|Made with} {interest} in mind. {|What would you call it?|It almost went another way.}",
    "{A quick study|A small experiment|A try|Something small}{ between other things| {some_hour}|}. {|Happy with the {edges|colours|balance}.|Might do a series.}",
    "{Kept this one|Chose this one|Stopped here} because {it felt done|more would have been less|the first idea was the right one}.",
    "{Fewer steps than usual|Three steps}, {same idea|no plan|one idea}. {|The workflow is short.|Remix it if you like.}",
    "{Remixes welcome.|Take it apart if you like.|Feel free to build on it.} {I would like to see where it goes.|The idea is simple enough.|}",
    "{Left it a little rough|Left some room|Kept it plain} {on purpose|this time}. {|Does it hold?|I think it holds.}",
];

const COMMENTS: &[&str] = &[
    "{Your take on|The way you handled|What you did with} {subject} {is|feels} {some_quality}{| to me| here}. {|Good call.|Nicely judged.}",
    "{I like|I really like|Love} {what you did with|how you approached|where you took} {subject}{| here| in this one}.",
    "{^subject}: {some_praise}.",
    "{How did you|What made you} {settle on|end up with|arrive at} {subject}{| here}?",
    "“{title}” {is a good name for it|fits it well|is a great title}. {|It made me look twice.|It sets the tone.}",
    "“{title}” {stays with me|stayed with me|made me stop}. {|Thank you for sharing it.|More like this, please.}",
    "{Nice one|Good one|Well done}, {author}. {^some_praise}.",
    "{author}, {this is {some_quality}|you have a {calm|steady|sure} hand|I look forward to the next one}.",
    "{This|It} is {some_quality}{| to look at}. {|How long did it take?|Is there a series?|What came first?}",
    "{Came back to this|Looked at this|Stopped at this} {twice|for a while|longer than I planned}. {^some_praise}.",
    "{^some_praise}. {Is there more like it?|Would you share the steps?|What did you start from?|}",
    "{Simple|Quiet|Confident} and {some_quality}. {|I like that it does not try too hard.|Nothing too much.}",
    "{This goes well with|This fits|It is close to} my {soft spot|weakness|liking} for {interest}. {|Thanks for it.}",
    "{Would love|Would like} to see {a second version|this as a series|where this goes next|it in other colours}.",
    "{What was|I wonder what was} the {first|hardest|last} step {here|of this one}{|, if you want to tell}?",
];

const REPLIES: &[&str] = &[
    "{Thank you|Thanks|Many thanks}, {author}! {|That is good to hear.|Glad it speaks to you.|It means something.}",
    "{Thank you|Thanks}{| for looking| for saying so| for the kind words}. {|There may be more of this.|It was fun to make.}",
    "{Good point|Fair point|True}, {author}. {I may try that next.|I will keep it in mind.|Noted for the next one.}",
    "{Good eye.|Well seen.|Nicely spotted.} {I will keep it in mind.|I wondered about that too.|Noted for the next one.}",
    "{Glad you|Happy that you|Nice that you} {like it|stopped by|wrote}. {|More soon.|What would you try next?}",
    "{That is a thought|Interesting|I had not seen it that way}. {Thank you for it.|I may come back to it.|What makes you say so?}",
    "{^subject} {was the starting point|came first}, {the rest followed|then the rest fell into place}. {|Thanks for asking.}",
    "{Thanks|Cheers}, {some of that was luck|most of it was trying again|it grew step by step}. {|I will take it.}",
];

const PROMPTS: &[&str] = &[
    "{subject}, {some_medium}, {some_light}, {some_palette}",
    "{some_medium} of {subject} {some_place}, {some_light}",
    "{subject} {some_hour}, {some_palette}, {some_medium}",
    "{a adj} {noun} {some_place}, {some_medium}, {some_light}, {some_palette}",
    "{a adj} {noun} {some_place}, {inspired by|in the spirit of} {interest}, {some_medium}, {some_palette}",
    "{a noun} and {a noun} {some_hour}, {some_medium}, {some_palette}",
    "{some_medium} inspired by {interest}, {a adj} {noun}, {some_light}",
];

const HOURS: &[&str] = &[
    "at dusk",
    "at dawn",
    "at noon",
    "after rain",
    "before sunrise",
    "at the blue hour",
    "in winter",
    "in late summer",
    "at midnight",
    "in the first snow",
    "on a slow morning",
    "after the storm",
    "in October",
    "by lamplight",
];

const PLACES: &[&str] = &[
    "by the sea",
    "on a rooftop",
    "in an empty hall",
    "under the bridge",
    "at the edge of town",
    "in tall grass",
    "on a quiet street",
    "beside a canal",
    "in a glass house",
    "above the clouds",
    "on the night train",
    "at the harbour",
];

const QUALITIES: &[&str] = &[
    "really well balanced",
    "quietly strong",
    "lovely",
    "full of small surprises",
    "beautifully put together",
    "calm in the best way",
    "bolder than it looks",
    "hard to look away from",
    "a pleasure to look at",
    "spot on",
];

const PRAISES: &[&str] = &[
    "the whole thing holds together",
    "there is a lot to find in it",
    "the idea comes across at once",
    "it has its own mood",
    "it gets better the longer I look",
    "every part earns its place",
    "the restraint pays off",
    "it knows when to stop",
    "it is clear and warm at once",
    "the choices all make sense",
];

const MEDIUMS: &[&str] = &[
    "watercolour on rough paper",
    "screen print",
    "35mm photograph",
    "paper collage",
    "isometric illustration",
    "oil painting with visible strokes",
    "ink drawing",
    "low-poly render",
    "linocut",
    "risograph print",
    "pixel art",
    "gouache illustration",
    "long exposure photograph",
    "clay diorama",
];

const LIGHTS: &[&str] = &[
    "soft side light",
    "low winter sun",
    "neon glow",
    "overcast light",
    "candle light",
    "strong back light",
    "dappled shade",
    "moonlight",
    "golden light",
    "a single lamp",
    "light through fog",
    "hard noon light",
];

const PALETTES: &[&str] = &[
    "muted palette",
    "two colours only",
    "teal and rust",
    "pastel tones",
    "deep blues",
    "warm earth tones",
    "black, white and one red",
    "washed-out greens",
    "high contrast",
    "amber and violet",
    "monochrome",
];
