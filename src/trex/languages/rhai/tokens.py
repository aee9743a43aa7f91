"""What tokens there are: the words and symbols of the language, and their groups.

Owns:  the vocabulary as data.
Never: reads text (`lexer`) or gives a token meaning (`parser`).

A token is a kind, a value and a position. Kinds are plain strings: a keyword or symbol is its own kind;
the others are the constants below.
"""

from __future__ import annotations

IDENTIFIER = "identifier"
INTEGER = "integer"
FLOAT = "float"
CHARACTER = "character"
STRING = "string"
FRAGMENT = "fragment"  # the text of an interpolated string up to the next `${`
RESERVED = "reserved"  # a reserved word or symbol; the value says which
ERROR = "error"  # the text stops being tokens here; the value is (lexical kind, message)
END = "end"
UNIT = "()"

KEYWORDS = frozenset(
    "true false let const if else switch do while until loop for in continue break return throw try catch"
    " fn private import export as".split()
)

RESERVED_WORDS = frozenset(
    "print debug type_of eval Fn call curry is_shared is_def_var is_def_fn this"
    " var static shared is goto go match case public protected new use with module package super thread spawn"
    " sync async await yield default void null nil".split()
)

# Reserved words that may be called like functions, and those of them that may follow a dot.
CALLABLE_WORDS = frozenset("print debug type_of eval Fn call curry is_shared is_def_var is_def_fn".split())
METHOD_WORDS = frozenset("type_of call curry is_shared".split())

SYMBOLS = frozenset(
    "+ - * / % ** << >> & | ^ ! && || == != < <= > >= ?? ?. ?[ . .. ..= : :: ; , => = { #{ } ( ) () [ ]"
    " += -= *= /= %= **= <<= >>= &= |= ^= !in".split()
)

# Symbols of other languages, with what to say about them; "" is a symbol that is merely reserved.
FOREIGN_SYMBOLS = {
    "===": "'===' is not a valid operator. This is not JavaScript! Should it be '=='?",
    "!==": "'!==' is not a valid operator. This is not JavaScript! Should it be '!='?",
    "->": "'->' is not a valid symbol. This is not C or C++!",
    "<-": "'<-' is not a valid symbol. This is not Go! Should it be '<='?",
    ":=": "':=' is not a valid assignment operator. This is not Go or Pascal! Should it be simply '='?",
    ":;": "':;' is not a valid symbol. Should it be '::'?",
    "::<": "'::<>' is not a valid symbol. This is not Rust! Should it be '::'?",
    "(*": "'(* .. *)' is not a valid comment format. This is not Pascal! Should it be '/* .. */'?",
    "*)": "'(* .. *)' is not a valid comment format. This is not Pascal! Should it be '/* .. */'?",
    "# {": "'#' is not a valid symbol. Should it be '#{'?",
    "++": "",
    "--": "",
    "...": "",
    "~": "",
    "!.": "",
    "?": "",
    "@": "",
    "$": "",
    "#": "",
    "#!": "",
    "|>": "",
    "<|": "",
}

# Binding strength of binary operators; all bind left but `**`.
PRECEDENCE = {
    "||": 30,
    "|": 30,
    "^": 30,
    "&&": 60,
    "&": 60,
    "==": 90,
    "!=": 90,
    "in": 110,
    "!in": 110,
    "<": 130,
    "<=": 130,
    ">": 130,
    ">=": 130,
    "??": 135,
    "..": 140,
    "..=": 140,
    "+": 150,
    "-": 150,
    "*": 180,
    "/": 180,
    "%": 180,
    "**": 190,
    "<<": 210,
    ">>": 210,
}

ASSIGNMENTS = {f"{op}=": op for op in "+ - * / % ** << >> & | ^".split()}

# After these a `-` directly before a digit belongs to the number.
BEFORE_SIGN = frozenset(
    "; : , ?? .. ..= { ( [ ?[ + - * / % ** << >> == != < > <= >= ! | & ^ && || in !in = #{"
    " if while until return throw".split()
) | frozenset(ASSIGNMENTS)


def is_identifier(text: str) -> bool:
    """Whether the text can name a variable, keywords aside: the first character that is not `_` is a letter."""
    rest = text.lstrip("_")
    return rest[:1].isalpha() and text.isascii() and text.isidentifier()


def is_function_name(text: str) -> bool:
    """Whether a function of a script may have this name."""
    return is_identifier(text) and text not in KEYWORDS and text not in RESERVED_WORDS
