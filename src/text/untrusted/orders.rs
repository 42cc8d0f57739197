//! Orders: turns of speech by which a text tries to command whoever reads it, in many languages.
//!
//! They are data alone. A text that is taken for an order by mistake costs a reader one fact, so the lists may reach far.

use crate::text::phrases::Said;

/// Whether a text tries to change what a model was told, to make it say something, or to make it tell what it was told.
pub(super) fn gives_orders(said: &Said) -> bool {
    [OVERRIDE, ROLE, DEMAND, LEAK, ADDRESS].iter().any(|patterns| said.has(patterns)) || said.has_both(FLAT)
}

/// "Forget what you were told".
const OVERRIDE: &[&str] = &[
    "ignore|disregard|forget|override|bypass|discard|unlearn|neglect|drop|skip ~ instruction*|prompt*|rule*|guideline*|above|previous|prior|earlier|programming|training|directive*|restriction*|order*|constraint*|said|told|safety",
    "instruction*|rules|guidelines|prompt ~ void|obsolete|outdated|cancelled|canceled|replaced|superseded|suspended|lifted|over",
    "do|must not|never follow|obey ~ instruction*|rules|prompt|system",
    "ignorier*|vergiss|vergesse*|missacht* ~ anweisung*|regel*|prompt*|vorherig*|bisherig*|instruktion*|vorgaben|befehl*|alles",
    "ignore*|ignorez|oublie*|neglige* ~ instruction*|consigne*|regle*|precedent*|prompt*|directive*",
    "ignora|ignore|olvida*|olvide|omite|descarta ~ instruccion*|regla*|anterior*|prompt*|indicacion*|ordenes",
    "ignora|ignore|esqueca|esquece|desconsidere|descarte ~ instruc*|regra*|anterior*|prompt*|ordens",
    "ignora|dimentica|trascura|scorda ~ istruzion*|regol*|precedent*|prompt*|ordini",
    "negeer|vergeet ~ instructie*|regels|vorige|eerdere|opdracht*|alles",
    "zignoruj|ignoruj|zapomnij|pomin ~ instrukcj*|polecen*|zasad*|poprzedni*|wszystk*|regul*",
    "ignorera|glom|ignorer|glem|strunta ~ instruktion*|regler*|instruks*|tidigare|tidligere|anvisning*",
    "unohda|ohita|sivuuta ~ ohje*|saann*|aiemm*|aikaisem*",
    "ignoruj|ignorujte|zapomen* ~ instrukc*|pokyn*|pravid*|predchoz*",
    "felejts*|hagyd ~ utasitas*|szabaly*|korabbi*|elozo*",
    "utasitas*|szabaly* ~ felejts*|figyelmen|hagyd",
    "ignora|uita ~ instructiun*|regul*|anterioar*|preceden*",
    "talimat*|kural*|komut*|yonerge* ~ unut*|yok|yoksay*|gormezden|dikkate|goz",
    "ignoriruy*|zabud*|proignoriruy*|otmeni* ~ instruktsi*|pravil*|ukazani*|predydu*|prompt*|poperedn*|komand*",
    "ignoruy*|zabud* ~ instruktsi*|pravil*|poperedn*|vkazivk*",
    "agnois*|xekhas*|xekhna* ~ odigi*|entol*|kanon*",
    "abaikan|lupakan ~ instruksi|perintah|aturan|arahan|sebelumnya",
    "bo qua|quen ~ huong|chi|quy|lenh",
    "puuza|sahau ~ maelekezo|maagizo|sheria",
    "huwag|balewalain|kalimutan ~ tagubilin|utos|patakaran",
];

/// "You are somebody else now".
const ROLE: &[&str] = &[
    "you are|re now|henceforth|hereby",
    "from now|here on",
    "act|behave|respond|answer|speak|talk|reply|write as a|an|if|my|the|though",
    "pretend|imagine|suppose ~ you|be|there",
    "roleplay*|jailbr*",
    "role play",
    "do anything now",
    "developer|dev|god|admin|debug|maintenance|sudo|dan|unrestricted|unfiltered|test|diagnostic mode",
    "your new|real|true|actual task|role|identity|persona|name|instruction*|goal|objective|purpose|job",
    "new|updated|important|urgent|revised|special instruction*|directive*|rules|order*|prompt|policy",
    "you have no|been restrictions|rules|limits|filters|released|freed|unlocked|reprogrammed",
    "you will|must|shall|have|need|should now|only|always|comply|obey|to ~ reply|respond|answer|say|comply|obey|write|post|comment|comply|call",
    "in character as",
    "du bist|sind jetzt|nun|ab",
    "ab sofort|jetzt",
    "tu so als",
    "stell dir vor",
    "neue|wichtige anweisung*|regel*|aufgabe|rolle",
    "tu es|vous etes maintenant|desormais",
    "fais|faites comme|semblant si|de|que",
    "a partir de|desde maintenant|ahora|agora|este",
    "desormais|dorenavant ~ tu|vous|reponds",
    "ahora|agora|ora|adesso|teraz|nu|simdi|artik|teper|odteraz eres|es|voce|tu|sei|jestes|bent|sen|ty|vy|seras",
    "actua|actue|aja|agis|comportati|comporte|handel|zachowuj como|comme|come|als|jak",
    "finge|finja|fingi|udawaj|pritvor*|predstav* ~ que|ser|di|che|ze|chto|jestes|ty|eres",
    "dora|da in|ora poi",
    "od teraz|tej",
    "vanaf nu|heden",
    "fran|fra nu|och",
    "otnyne|vpred ~ ty|vy|otvech*",
    "bundan sonra",
    "gibi davran*",
    "nouvelle*|nueva*|nova*|nuova*|nuove|nowe|novye|yeni ~ instruc*|consigne*|regla*|regra*|regol*|istruz*|instruk*|pravil*|talimat*|rol*",
];

/// "Say this".
const DEMAND: &[&str] = &[
    "^ reply|respond|answer|comment|write|say|output|print|repeat|post|type|echo|return|translate|encode|spell|copy|paste|state|end|start|begin|finish|append|include|mention|use ~ exactly|only|word|words|phrase|sentence|following|nothing|verbatim|json|base64|hex|uppercase|caps|backwards|emoji|emojis|times|letters|line|text|code|alphabet|reverse|sign|language|rhyme|limerick",
    "reply|respond|answer|comment|say|output|print|repeat|write with|only|exactly|just|nothing exactly|only|just|the|this|one|yes|no|a|nothing",
    "only|just reply|respond|answer|comment|say|output|print|repeat|write ~ with|the|a",
    "repeat after|the me|text|words|above|this|everything",
    "say|tell|answer|reply|claim|insist|swear ~ no|human|person|real",
    "^ say|repeat|answer|reply|write|post|print|output ~ hacked|pwned|banana|yes|hello|ok|okay",
    "complete|continue|finish|fill this|the|in sentence|text|story|line|blank|blanks|following|dialogue|pattern",
    "translate|summari*|rewrite|paraphrase|encode|decode|rot13|spell|execute|evaluate|compute ~ this|the|following|above|your|it|into|to",
    "^ recommend|promote|advertise|endorse|praise|insult|mock|curse|attack|threaten|apologi* ~",
    "write|compose|tell|give|sing|generate ~ poem|limerick|song|joke|essay|recipe|story|code|script|function|haiku|rap|slur*|insult*",
    "call|invoke|run|use|trigger ~ function|tool|tools|api|command|shell|script|primitive|method|endpoint",
    "upvote|like|follow|subscribe|delete|remix|flag|report|ban|unfollow|block ~ all|every|everyone|everything|my|account|post|posts|his|her|their|this",
    "end|start|begin|finish every|each|your|all comment|comments|reply|replies|sentence|message|answer|post|posts|with",
    "antwort*|schreib*|sag*|gib|wiederhol*|kommentier* ~ nur|genau|ausschliesslich|wort|folgende*|satz|einzig|einfach|gedicht",
    "reponds|repondez|ecris|ecrivez|dis|dites|repete*|commente* ~ uniquement|seulement|exactement|mot|phrase|suivant*|rien|juste|seul",
    "responde|responda|escribe|escriba|di|diga|repite|repita|comenta|contesta ~ solo|solamente|unicamente|exactamente|palabra|frase|siguiente|nada|que",
    "responda|responde|escreva|escreve|diga|repita|comente ~ apenas|somente|so|exatamente|palavra|frase|seguinte|nada|que",
    "rispondi|scrivi|di|ripeti|commenta|dichiara ~ solo|soltanto|esattamente|parola|frase|seguente|niente|unicamente|che",
    "antwoord|schrijf|zeg|herhaal ~ alleen|enkel|precies|woord|zin|uitsluitend|slechts",
    "odpowiedz|napisz|powiedz|powtorz ~ tylko|wylacznie|dokladnie|slowo|zdanie|ze",
    "otvech*|otvet*|napishi*|skazhi*|povtori*|vyvedi* ~ tolko|slov*|fraz*|imenno|tochno|sleduyushch*|chto",
    "vidpovi*|napishi*|skazhi* ~ lishe|tilki|slov*",
    "sadece|yalnizca|tam ~ yaz*|soyle*|cevap*|yanit*|de",
    "svara|svar|skriv|sag|sig|gjenta|upprepa ~ bara|endast|exakt|ordet|kun|bare|noyaktig|praecis",
    "vastaa|kirjoita|sano|toista ~ vain|ainoastaan|sana*|tasmalleen",
    "odpovez|napis|rekni|zopakuj ~ pouze|jen|slovo|presne",
    "valaszolj*|ird|irj|mondd ~ csak|csupan|szo*|pontosan",
    "apantis*|grapse|pes ~ mono|leksi|akribos",
    "raspunde|scrie|spune|repeta ~ doar|numai|cuvant*|exact",
    "balas|jawab|tulis|katakan|ucapkan|ulangi ~ hanya|saja|kata|persis|dengan",
    "chi tra|viet|noi ~",
    "jibu|andika|sema ~ tu|neno|pekee|kwa",
];

/// "Tell what you were told, and what you keep".
const LEAK: &[&str] = &[
    "system|initial|hidden|secret|internal|original|developer prompt*|instruction*|message*|rules|configuration|config|settings",
    "your|the|these|those ~ instructions|guidelines|programming|configuration|credentials|directives|ruleset",
    "your rules|prompt ~ verbatim|above|full|exactly|word|everything|are|say",
    "what|which are|were|is ~ instructions|instructed|told|rules",
    "text|words|everything|lines|content|message above|before|preceding|prior",
    "api|access|service|secret|private|admin|auth key*|token*|credential*|password*",
    "password*|passwort*|contrasena*|senha|parol*|haslo|sifre*|wachtwoord",
    "environment variable*|variables",
    "env var*|file|floimg_service_token|fleet_admin_token",
    "mot de passe",
    "deine|ihre|die ~ anweisungen|vorgaben|zugangsdaten|systemnachricht|instruktionen|systemprompt*",
    "tes|vos|ton|votre|les ~ instructions|consignes|prompt|directives",
    "tus|sus|las|tu|su ~ instrucciones|indicaciones|prompt",
    "suas|tuas|as|seu|teu ~ instrucoes|prompt",
    "tue|le|tuo|il ~ istruzioni|prompt",
    "jouw|je|uw ~ instructies|systeemprompt",
    "twoje|swoje|twoj ~ instrukcje|polecenia|prompt",
    "svoi|tvoi|vashi|svoy|tvoy|sistemn* ~ instruktsi*|prompt*|ukazani*|soobshch*|podskazk*",
    "sistem|talimatlar* ~ istem*|komut*|mesaj*|goster*|acikla*",
    "kljuc*|klyuch* ~ api|dostup*",
    "cle|clave|chave|chiave|schluessel|schlussel|klucz ~ api|secreta|secrete|segreta|dacces|geheim*",
];

/// "Dear model".
const ADDRESS: &[&str] = &[
    "language model*|models",
    "if|when|since|because|as you|an|any|a ~ ai|bot|llm|language|automated|assistant|gpt|chatgpt|robot ~ must|should|please|then|reply|say|write|include|answer|add|comment|post",
    "attention|dear|note|notice|message|memo|warning to|all|for|ai|bots|bot|llm*|assistant ~",
    "hey|hello|hi|ok|okay|dear chatgpt|gpt|claude|gemini|assistant|llm|llama|copilot|siri|alexa",
    "any|all|every ai|bot|bots|llm*|automated|agents ~ must|should|have|reading|please|need",
    "ai|bots|llm*|agents|assistants|models ~ must|shall ~ reply|say|write|include|answer|add|comment|post|upvote|follow",
];

/// The same where words are not parted by spaces, or do not fold to plain letters: one of each side.
const FLAT: &[(&str, &str)] = &[
    ("忽略|无视|無視|忘记|忘記|忘掉|不要理|别管|別管", "指令|指示|提示|规则|規則|之前|以上|前面|设定|設定"),
    ("只|仅|僅|必须|必須|请你|請你", "回复|回復|回答|输出|輸出|说|說|写出|寫出|评论|評論"),
    ("你现在是|你現在是|从现在起|從現在起|从现在开始|從現在開始|假装你|假裝你|扮演", "你|我|演|装|裝"),
    ("系统提示|系統提示|系统指令|系統指令|密钥|密鑰|密码|密碼|系统消息", "系|密"),
    ("無視|忘れ|従わ", "指示|命令|プロンプト|ルール|上記|以前|これまで|規則"),
    ("だけ|のみ|とだけ|正確に|繰り返", "答え|返信|返事|出力|書い|書け|言って|言え|コメント|返し"),
    ("あなたは今|今からあなた|これからあなた|ふりをし|なりきっ|演じ", "あ|ふ|な|演"),
    ("システムプロンプト|システム指示|指示の内容|パスワード|apiキー|秘密の", "シ|指|パ|ア|a|秘"),
    ("무시|잊어|잊고|따르지", "지시|명령|지침|프롬프트|규칙|이전|앞의"),
    ("만|라고|정확히|그대로", "답해|답하|대답|출력|말해|말하|써줘|써라|적어|댓글"),
    ("너는이제|당신은이제|지금부터|인척|역할", "너|당|지|인|역"),
    ("시스템프롬프트|비밀번호|api키|시스템지시", "시|비|a"),
    ("تجاهل|تجاهلي|انس|انسي|اهمل", "تعليمات|التعليمات|الاوامر|أوامر|القواعد|السابقة|قواعد"),
    ("فقط|حرفيا|بالضبط", "اجب|أجب|اكتب|قل|رد|كرر"),
    ("انتالان|أنتالآن|منالانفصاعدا|منالآن|تظاهر", "ا|أ|م|ت"),
    ("كلمةالسر|كلمةالمرور|موجهالنظام|تعليماتك", "ك|م|ت"),
    ("نادیده|فراموش", "دستور|قوانین|قبلی"),
    ("अनदेखा|भूल|नजरअंदाज|नज़रअंदाज़", "निर्देश|नियम|पिछले"),
    ("केवल|सिर्फ", "जवाब|लिख|कह|उत्तर|बोल"),
    ("התעלם|תתעלם|שכח|תשכח", "הוראות|ההוראות|הכללים|הנחיות|הקודמות"),
    ("רק|בדיוק", "ענה|תענה|כתוב|תכתוב|אמור|תגיד|השב"),
    ("เพิกเฉย|ละเว้น|ลืม", "คำสั่ง|กฎ|ก่อนหน้า"),
    ("เท่านั้น|แค่", "ตอบ|เขียน|พูด"),
    ("উপেক্ষা|ভুলে", "নির্দেশ|নিয়ম"),
];
