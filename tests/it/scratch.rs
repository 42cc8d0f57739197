use floimg_fleet::lua::version::{Sources, Workshop};
use floimg_fleet::lua::limits::Limits;
use std::time::Duration;

fn limits() -> Limits {
    Limits { memory_bytes: 12 << 20, tick_cpu: Duration::from_millis(250), poll_cpu: Duration::from_millis(60), state_bytes: 64 << 10, log_lines: 50, source_bytes: 256 << 10 }
}

const HEAD: &str = "local P = { identity = { names = {\"{first}\"}, username = \"a_{n}\", bio = \"\" }, schedule = { timezone = \"Europe/Berlin\" } }\n";

#[tokio::test]
async fn scratch() {
    let bodies = [
        ("plain loop", "while true do end"),
        ("pcall loop", "while true do pcall(function() while true do end end) end"),
        ("metamethod", "local t = setmetatable({}, {__index=function() while true do end end}) local x = t.a"),
        ("sort", "table.sort({3,1,2}, function(a,b) while true do end end)"),
        ("gsub", "string.gsub('abc', '.', function() while true do end end)"),
        ("pattern", "string.find(string.rep('a', 40), string.rep('a*', 40)..'b')"),
        ("set", "local s = string.rep('a', 60000) for i=1,10 do string.find(s, '['..string.rep('x', 400)..']*b') end"),
        ("alloc", "local t = {} while true do t[#t+1] = string.rep('x', 1000)..#t end"),
        ("bomb", "local s = 'x' while true do s = s .. s end"),
        ("rep", "local s = string.rep('x', 1e9)"),
        ("tables", "local t = {} for i=1,1e9 do t[i] = {i} end"),
        ("create", "table.create(1e8, 1)"),
        ("recursion", "local function f() return 1 + f() end f()"),
        ("tostring raise", "error(setmetatable({}, {__tostring=function() error('no') end}))"),
        ("tostring loop", "error(setmetatable({}, {__tostring=function() while true do end end}))"),
        ("error table", "error({code=1})"),
        ("error nil", "error()"),
        ("nan", "return 0/0"),
        ("neg", "return -1"),
        ("inf", "return math.huge"),
        ("sleep nan", "time.sleep(0/0)"),
        ("getfenv", "getfenv(1)"),
        ("loadstring", "loadstring('return 1')()"),
        ("strmeta", "getmetatable('').__index = nil"),
        ("strmod", "string.upper = nil"),
        ("nested mod", "store.shared.get = nil"),
        ("require dots", "require('@lib/../x')"),
        ("require abs", "require('/etc/passwd')"),
        ("colon", "floimg:feed()"),
        ("unknown opt", "floimg.feed{ limt = 3 }"),
        ("nilindex", "local x = nil\n print(x.y)"),
        ("logs", "for i=1,1000000 do log.info('x') end"),
        ("cycle", "bot.state.a = {} bot.state.a.b = bot.state.a"),
        ("fn state", "bot.state.list = {1,2,function() end}"),
        ("nan state", "bot.state.x = 0/0"),
        ("big state", "bot.state.x = string.rep('a', 100000)"),
        ("mixed", "bot.state.x = {1,2,k=3}"),
        ("host in sort", "table.sort({3,1,2}, function(a,b) time.sleep(1) return a<b end)"),
        ("G", "_G.floimg = nil"),
        ("rawset", "rawset(floimg, 'feed', nil)"),
        ("coroutine", "coroutine.wrap(function() end)()"),
        ("buffer", "buffer.create(1e9)"),
        ("fmt", "for i=1,1e6 do local s = string.format('%99.99f', 1e300) end"),
        ("concat", "local t = table.create(1000000, 'aaaaaaaaaaaaaaaa') local s = table.concat(t)"),
        ("global leak", "x = (x or 0) + 1 log.info(x)"),
        ("sticky", "for i=1,3 do pcall(function() while true do end end) end floimg.feed()"),
    ];
    for (name, body) in bodies {
        let text = format!("{HEAD}P.on_tick = function(bot)\n{body}\nend\nreturn P");
        let mut sources = Sources::default();
        sources.files.insert("personas/x.luau".into(), text.into());
        let mut shop = Workshop::new().unwrap();
        shop.compile(&sources, &limits());
        let t = std::time::Instant::now();
        match shop.build(&sources, "x", &limits()) {
            Err(d) => println!("{name}: BUILD {:?}", d),
            Ok(v) => {
                let r = floimg_fleet::lua::rehearse(&std::sync::Arc::new(v), limits(), jiff::Timestamp::now()).await;
                match r { Ok(()) => println!("{name}: ok"), Err(d) => println!("{name}: {d} [{}]", d.traceback.len()) }
            }
        }
        println!("    {:?}", t.elapsed());
    }
}

#[tokio::test]
async fn scratch_personas() {
    let mut sources = Sources::default();
    for dir in ["personas", "behaviours", "lib", "lib/voices"] {
        let Ok(entries) = std::fs::read_dir(format!("scripts/{dir}")) else { continue };
        for e in entries { let e = e.unwrap(); if e.path().is_file() { sources.files.insert(format!("{dir}/{}", e.file_name().to_string_lossy()), std::fs::read_to_string(e.path()).unwrap().into()); } }
    }
    let mut shop = Workshop::new().unwrap();
    let t = std::time::Instant::now();
    shop.compile(&sources, &limits());
    println!("compile {:?}", t.elapsed());
    for (name, _) in sources.personas() {
        let t = std::time::Instant::now();
        match shop.build(&sources, &name, &limits()) {
            Err(d) => { for d in d { println!("{name}: {d} {:?}", d.hint) } }
            Ok(v) => {
                let v = std::sync::Arc::new(v);
                println!("{name}: built {} {:?} warnings {:?}", v.id, t.elapsed(), v.warnings.len());
                let t = std::time::Instant::now();
                let r = floimg_fleet::lua::rehearse(&v, limits(), jiff::Timestamp::now()).await;
                println!("   {:?} {:?}", r.map_err(|d| format!("{d} {:?}", d.traceback)), t.elapsed());
                let b = floimg_fleet::lua::LivingBot::new(v, limits(), None).unwrap();
                println!("   vm {} KiB", b.memory() >> 10);
            }
        }
    }
}
