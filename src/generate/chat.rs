//! Chat templates: the Jinja text in a model's files that writes a conversation down as the model
//! was trained to read it. Reference: `transformers`' `apply_chat_template`.
//!
//! Templates are input from outside. They can compute nothing but text, and no more of it than a
//! budget allows. The user's text is never seen by them: a mark stands in its place, and what comes
//! out is divided there, so that no control token can be made of it.

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, ErrorKind, Value, context};
use regex::Regex;
use std::sync::LazyLock;

/// Longest template in bytes; published ones have up to 20 kB.
const LONGEST: usize = 256 << 10;
/// Budget of a rendering: one for each instruction, and one for every 64 bytes that are made.
const FUEL: u64 = 200_000;
/// Stands for the user's text: a noncharacter, which no honest template has.
const MARK: &str = "\u{fdd0}";

/// A chat template, with what it needs to know of the tokenizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatTemplate {
    source: String,
    tokens: SpecialTokens,
}

/// The special tokens that templates name, as texts; empty where there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Begin of text.
    pub bos: String,
    /// End of text.
    pub eos: String,
    /// Whether the tokenizer puts the begin token before every text by itself.
    pub adds_bos: bool,
}

/// A conversation up to the turn that the model is to answer. That turn is `instruction`, right
/// after it a text from outside, and then `after`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conversation<'a> {
    /// The task in all turns; `None` leaves it to the template, an empty one is a turn without
    /// words.
    pub system: Option<&'a str>,
    /// Earlier turns: what the user said, and what the model answered.
    pub turns: Vec<(&'a str, &'a str)>,
    /// Words of the user before the text; may be empty.
    pub instruction: &'a str,
    /// Words of the user after the text; may be empty.
    pub after: &'a str,
}

/// A conversation as the model reads it: `prefix`, the text from outside, `suffix`. Control tokens
/// stand in the two as texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatPrompt {
    /// Everything before the text.
    pub prefix: String,
    /// The end of the user's turn and the opening of the model's.
    pub suffix: String,
}

impl ChatTemplate {
    /// A template out of a model's files.
    ///
    /// # Errors
    /// When it is too long, or no Jinja: says what is wrong.
    pub fn new(source: &str, tokens: SpecialTokens) -> Result<ChatTemplate, String> {
        if source.len() > LONGEST {
            return Err(format!(
                "the chat template has {} bytes; expected at most {LONGEST}",
                source.len()
            ));
        }
        // `transformers` marks what a model is trained to write with tags of its own.
        static GENERATION: LazyLock<Option<[Regex; 2]>> = LazyLock::new(|| {
            let tag = |name: &str| Regex::new(&format!(r"(\{{%[-+]?\s*){name}(\s*[-+]?%\}})")).ok();
            Some([tag("generation")?, tag("endgeneration")?])
        });
        let mut source = source.to_string();
        if let Some([begin, end]) = &*GENERATION {
            source = begin.replace_all(&source, "${1}if true${2}").into_owned();
            source = end.replace_all(&source, "${1}endif${2}").into_owned();
        }
        environment()
            .template_from_str(&source)
            .map_err(|e| format!("the chat template is no Jinja that is known here: {e}"))?;
        Ok(ChatTemplate { source, tokens })
    }

    /// ChatML, which is assumed of chat models that bring no template, as llama.cpp does.
    pub fn chatml() -> ChatTemplate {
        const SOURCE: &str = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
        ChatTemplate { source: SOURCE.into(), tokens: SpecialTokens::default() }
    }

    /// Writes a conversation down. Where the template has no place for a system turn, or leaves it
    /// out, the user's first turn begins with it.
    ///
    /// # Errors
    /// When the template refuses the conversation, takes too long, or does not have the user's text
    /// in it exactly once: says what is wrong.
    pub fn render(&self, conversation: &Conversation<'_>) -> Result<ChatPrompt, String> {
        let asked = format!("{}{MARK}{}", conversation.instruction, conversation.after);
        let system = conversation.system.map(str::trim);
        let said = conversation.system.unwrap_or_default();
        let mut messages = vec![("system", said.to_string())];
        for (user, model) in &conversation.turns {
            messages.extend([("user", (*user).to_string()), ("assistant", (*model).to_string())]);
        }
        messages.push(("user", asked));
        let Some(system) = system else { return self.divided(&self.written(&messages[1..])?) };
        match self.written(&messages) {
            Ok(text) if text.contains(system) => self.divided(&text),
            _ => {
                if !system.is_empty() {
                    messages[1].1 = format!("{said}\n\n{}", messages[1].1);
                }
                self.divided(&self.written(&messages[1..])?)
            }
        }
    }

    /// The template's text for some messages, each a role and what is said.
    fn written(&self, messages: &[(&str, String)]) -> Result<String, String> {
        let environment = environment();
        let messages: Vec<Value> = messages
            .iter()
            .map(|(role, content)| context! { role => *role, content => content.as_str() })
            .collect();
        // As `transformers` calls it. Thinking aloud, which some models can be told to leave, would
        // be taken for the answer.
        let values = context! {
            messages => messages,
            add_generation_prompt => true,
            enable_thinking => false,
            tools => Value::from(()),
            documents => Value::from(()),
            bos_token => self.tokens.bos.as_str(),
            eos_token => self.tokens.eos.as_str(),
        };
        let template = environment.template_from_str(&self.source).map_err(|e| e.to_string())?;
        template.render(values).map_err(|e| match e.kind() {
            ErrorKind::OutOfFuel => "the chat template computes without an end".into(),
            _ => format!("the chat template fails: {e}"),
        })
    }

    /// The prompt out of a template's text, divided at the user's.
    fn divided(&self, text: &str) -> Result<ChatPrompt, String> {
        let mut parts = text.split(MARK);
        let (Some(prefix), Some(suffix), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(format!(
                "the chat template has the user's text {} times in it; expected it once",
                text.matches(MARK).count()
            ));
        };
        let bos = self.tokens.bos.as_str();
        let own = prefix.strip_prefix(bos).filter(|_| self.tokens.adds_bos && !bos.is_empty());
        Ok(ChatPrompt { prefix: own.unwrap_or(prefix).into(), suffix: suffix.into() })
    }
}

/// Jinja as `transformers` sets it up for chat templates.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.unwrap_or_default());
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    environment.set_fuel(Some(FUEL));
    environment.add_function("raise_exception", |message: String| -> Result<String, _> {
        Err(minijinja::Error::new(ErrorKind::InvalidOperation, message))
    });
    environment.add_function("strftime_now", |format: String| date(&format));
    environment
}

/// The date in prompts, in a format of `strftime`'s: always 26 July 2024, the default of Llama 3's
/// templates. A prompt that changed with the day would make results that cannot be repeated.
fn date(format: &str) -> String {
    const PARTS: [(&str, &str); 10] = [
        ("%d", "26"),
        ("%m", "07"),
        ("%b", "Jul"),
        ("%B", "July"),
        ("%Y", "2024"),
        ("%y", "24"),
        ("%A", "Friday"),
        ("%a", "Fri"),
        ("%H", "00"),
        ("%M", "00"),
    ];
    PARTS.iter().fold(format.to_string(), |text, (part, value)| text.replace(part, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SmolLM2's, without a system turn of its own.
    const SMOLLM2: &str = "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";
    const LLAMA_3: &str = "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}";
    const GEMMA_2: &str = "{{ bos_token }}{% if messages[0]['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}{% else %}{% set role = message['role'] %}{% endif %}{{ '<start_of_turn>' + role + '\\n' + message['content'] | trim + '<end_of_turn>\\n' }}{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\\n'}}{% endif %}";
    const GEMMA_3: &str = r#"{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- if messages[0]['content'] is string -%}
        {%- set first_user_prefix = messages[0]['content'] + '

' -%}
    {%- else -%}
        {%- set first_user_prefix = messages[0]['content'][0]['text'] + '

' -%}
    {%- endif -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("Conversation roles must alternate user/assistant/user/assistant/...") }}
    {%- endif -%}
    {%- if (message['role'] == 'assistant') -%}
        {%- set role = "model" -%}
    {%- else -%}
        {%- set role = message['role'] -%}
    {%- endif -%}
    {{ '<start_of_turn>' + role + '
' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {%- for item in message['content'] -%}
            {%- if item['type'] == 'text' -%}
                {{ item['text'] | trim }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{ raise_exception("Invalid content type") }}
    {%- endif -%}
    {{ '<end_of_turn>
' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model
'}}
{%- endif -%}
"#;
    const MISTRAL: &str = "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ message['content'] + eos_token}}{% else %}{{ raise_exception('Only user and assistant roles are supported!') }}{% endif %}{% endfor %}";
    /// Qwen3's, without what it says of tools.
    const QWEN_3: &str = r#"{%- if tools %}
    {{- raise_exception('tools') }}
{%- else %}
    {%- if messages[0].role == 'system' %}
        {{- '<|im_start|>system\n' + messages[0].content + '<|im_end|>\n' }}
    {%- endif %}
{%- endif %}
{%- set ns = namespace(multi_step_tool=true, last_query_index=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.multi_step_tool and message.role == "user" and message.content is string and not(message.content.startswith('<tool_response>') and message.content.endswith('</tool_response>')) %}
        {%- set ns.multi_step_tool = false %}
        {%- set ns.last_query_index = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\n' + content + '<|im_end|>' + '\n' }}
    {%- elif message.role == "assistant" %}
        {%- set reasoning_content = '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- else %}
            {%- if '</think>' in content %}
                {%- set reasoning_content = content.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') %}
                {%- set content = content.split('</think>')[-1].lstrip('\n') %}
            {%- endif %}
        {%- endif %}
        {%- if loop.index0 > ns.last_query_index %}
            {{- '<|im_start|>' + message.role + '\n<think>\n' + reasoning_content.strip('\n') + '\n</think>\n\n' + content.lstrip('\n') }}
        {%- else %}
            {{- '<|im_start|>' + message.role + '\n' + content }}
        {%- endif %}
        {{- '<|im_end|>\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\n\n</think>\n\n' }}
    {%- endif %}
{%- endif %}"#;

    fn tokens(bos: &str, eos: &str, adds_bos: bool) -> SpecialTokens {
        SpecialTokens { bos: bos.into(), eos: eos.into(), adds_bos }
    }

    fn rendered(source: &str, tokens: SpecialTokens) -> (String, String) {
        let conversation = Conversation {
            system: Some("Be brief."),
            turns: vec![("One?", "Two.")],
            instruction: "Say: ",
            after: "",
        };
        let template = ChatTemplate::new(source, tokens).unwrap();
        let ChatPrompt { prefix, suffix } = template.render(&conversation).unwrap();
        (prefix, suffix)
    }

    #[test]
    fn published_templates_write_what_their_models_read() {
        let chatml = (
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nOne?<|im_end|>\n<|im_start|>assistant\nTwo.<|im_end|>\n<|im_start|>user\nSay: ",
            "<|im_end|>\n<|im_start|>assistant\n",
        );
        let gemma = (
            "<start_of_turn>user\nBe brief.\n\nOne?<end_of_turn>\n<start_of_turn>model\nTwo.<end_of_turn>\n<start_of_turn>user\nSay: ",
            "<end_of_turn>\n<start_of_turn>model\n",
        );
        let llama = (
            "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nOne?<|eot_id|>\
             <|start_header_id|>assistant<|end_header_id|>\n\nTwo.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nSay: ",
            "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
        );
        let mistral = ("[INST] Be brief.\n\nOne? [/INST]Two.</s>[INST] Say: ", " [/INST]");
        let qwen = (chatml.0, "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n");
        let llama_tokens = || tokens("<|begin_of_text|>", "<|eot_id|>", false);
        for (source, tokens, expected) in [
            (SMOLLM2, tokens("<|im_start|>", "<|im_end|>", false), chatml),
            (LLAMA_3, llama_tokens(), llama),
            // The tokenizer's begin token takes the place of the template's.
            (GEMMA_2, tokens("<bos>", "<eos>", true), gemma),
            (GEMMA_3, tokens("<bos>", "<eos>", true), gemma),
            (MISTRAL, tokens("<s>", "</s>", true), mistral),
            (QWEN_3, tokens("", "<|im_end|>", false), qwen),
        ] {
            let (prefix, suffix) = rendered(source, tokens);
            assert_eq!((prefix.as_str(), suffix.as_str()), expected, "{source}");
        }
        let default = ChatTemplate::chatml();
        assert_eq!(
            ChatTemplate::new(&default.source, SpecialTokens::default()),
            Ok(default.clone())
        );
        assert_eq!(
            rendered(&default.source, SpecialTokens::default()),
            (chatml.0.into(), chatml.1.into())
        );
    }

    #[test]
    fn turns_that_are_not_there_are_not_written() {
        let template = ChatTemplate::new(QWEN_3, SpecialTokens::default()).unwrap();
        let conversation = Conversation { instruction: "Say: ", ..Conversation::default() };
        assert_eq!(template.render(&conversation).unwrap().prefix, "<|im_start|>user\nSay: ");
    }

    #[test]
    fn the_day_is_always_the_same() {
        let source = "{{ strftime_now('%d %b %Y') }}: {{ messages[-1].content }}";
        assert_eq!(rendered(source, SpecialTokens::default()).0, "26 Jul 2024: Say: ");
        let trained =
            "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}";
        assert_eq!(
            rendered(trained, SpecialTokens::default()),
            ("Be brief.One?Two.Say: ".into(), "".into())
        );
    }

    #[test]
    fn templates_that_do_no_good_are_refused() {
        let conversation = Conversation { instruction: "Say: ", ..Conversation::default() };
        let error = |source: &str| {
            ChatTemplate::new(source, SpecialTokens::default())
                .and_then(|template| template.render(&conversation))
                .unwrap_err()
        };
        let text = "{{ messages[0].content }}";
        for (source, why) in [
            ("{% for %}", "no Jinja"),
            (&" ".repeat(LONGEST + 1), "expected at most"),
            ("Hello.", "0 times"),
            (&format!("{text}{text}"), "2 times"),
            ("{{ raise_exception('never') }}", "never"),
            ("{{ messages[0].content.missing.part }}", "fails"),
            (
                "{% for i in range(90000) %}{% for j in range(90000) %}{% endfor %}{% endfor %}",
                "without an end",
            ),
            ("{{ 'x' * 100000000000 }}", "without an end"),
            ("{{ ('x' * 1000000).replace('x', 'y' * 1000000) }}", "without an end"),
            ("{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}", ""),
            (
                "{% set ns = namespace(t='x') %}{% for i in range(60) %}{% set ns.t = ns.t + ns.t %}{% endfor %}",
                "without an end",
            ),
            ("{% include 'other' %}", ""),
        ] {
            let found = error(source);
            assert!(found.contains(why), "{source:.80}: {found}");
        }
    }
}
