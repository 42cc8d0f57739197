//! Syntax errors: what authors who know other languages write, and what Luau wants instead.
//!
//! The compiler says what it expected; this says what was probably meant.

/// The cure for a syntax error, by the compiler's words and the line they are about.
pub fn cure(message: &str, line: &str) -> String {
    let code = line.split("--").next().unwrap_or(line);
    let got = message.rsplit("got ").next().unwrap_or_default().trim_matches('\'');
    let has = |word: &str| code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word);
    let unfinished = "correct the line and save the file; until then, what ran before runs on";
    let advice = if message.contains("to close") && got == "<eof>" {
        return format!("something is still open at the end of the file: {}", opened(message));
    } else if code.contains("!=") {
        "Luau writes `~=` for unequal"
    } else if code.contains("&&") || code.contains("||") {
        "Luau writes `and` and `or`"
    } else if got == "!" {
        "Luau writes `not`"
    } else if code.contains("++") {
        "Luau has no `++`: write `n += 1`"
    } else if code.trim_start().starts_with("//") || code.trim_start().starts_with('#') || code.contains("/*") {
        "comments begin with `--`"
    } else if has("elif") || code.contains("else if") && message.contains("to close") {
        "Luau writes `elseif`, as one word"
    } else if has("elif") {
        "Luau writes `elseif`"
    } else if ["var", "let", "int", "string"].iter().any(|word| code.trim_start().starts_with(&format!("{word} "))) {
        "locals are declared with `local`"
    } else if has("def") || has("func") || has("fn") {
        "functions are written `function name(…) … end`"
    } else if has("switch") || has("case") {
        "Luau has no switch: use `if … elseif … end`, or a table of functions"
    } else if has("try") || has("catch") || has("throw") {
        "Luau has no try: use pcall(f, …), and error(text) to raise"
    } else if has("goto") {
        "Luau has no goto: use `continue`, `break` or a function"
    } else if message.contains("Expected 'then'") && got == "=" {
        "`=` assigns; to compare, write `==`"
    } else if message.contains("Expected 'then'") {
        "a condition is followed by `then`"
    } else if message.contains("Expected 'do'") {
        "the head of a loop is followed by `do`"
    } else if message.contains("Expected 'in'") {
        "a loop is `for i = 1, n do` or `for _, one in list do`"
    } else if message.contains("Incomplete statement") {
        "a line does something: it calls a function or assigns, like `local x = …`"
    } else if message.contains("Malformed string") || message.contains("unfinished string") {
        "close the text with the quote it began with; a text over several lines is written [[…]]"
    } else if message.contains("Malformed number") {
        "numbers look like 12, 0.5, 1e3 or 0xff; names begin with a letter"
    } else if message.contains("to close '{'") {
        "entries of a table are separated by commas; one is missing before this, or the `}`"
    } else if message.contains("to close '('") {
        "a `)` or a comma is missing before this"
    } else if message.contains("to close '['") {
        "a `]` is missing before this"
    } else if message.contains("to close") {
        return opened(message);
    } else if message.contains("Expected <eof>") {
        "there is one `end` too many above, or something stands after the file's last `return`"
    } else if message.contains("ambiguous syntax") || message.contains("Ambiguous syntax") {
        "write the `(` on the line of the function's name, or put a `;` before it"
    } else if message.contains("Assigned expression must be") {
        "only a name, a field or an entry can be set"
    } else if message.contains("variable names") || message.contains("when parsing variable name") {
        "a name is letters, digits and _, begins with a letter, and is no word of Luau's own"
    } else if message.contains("when parsing expression") {
        "a value is missing here: a number, a text, a name, a table or a call"
    } else if message.contains("break statement") || message.contains("continue statement") {
        "`break` and `continue` stand inside a loop; to leave a function, use `return`"
    } else if message.contains("'...' outside") || message.contains("vararg") {
        "add `...` to the function's parameters"
    } else if message.contains("escape sequence") {
        "write `\\\\` for a backslash"
    } else if message.contains("table field") || message.contains("NUL") {
        "save the file again as UTF-8"
    } else {
        unfinished
    };
    advice.to_owned()
}

/// The line of what is still open at the end of a file: that is where to look, and not at the file's last line.
pub fn opened_at(message: &str) -> Option<u32> {
    let is_end = message.contains("got <eof>");
    message.rsplit_once("at line ").filter(|_| is_end)?.1.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// `Expected 'end' (to close 'function' at line 3)` → what to do about it.
fn opened(message: &str) -> String {
    let close = message.split('\'').nth(1).unwrap_or("end");
    // What is closed at the wrong place is what was forgotten.
    let forgotten = message.rsplit("forget to close '").next().filter(|_| message.contains("forget to close '"));
    let rest = forgotten.or_else(|| message.split("to close '").nth(1)).unwrap_or_default();
    let open = rest.split('\'').next().unwrap_or("it");
    match rest.split("at line ").nth(1).and_then(|rest| rest.split([')', '?']).next()) {
        Some(line) => format!("`{open}` in line {line} needs its `{close}`"),
        None => format!("`{open}` needs its `{close}`"),
    }
}
