/** Who may read a document, in words for people. */
export interface ProviderName {
  name: string;
  /** Who runs it, and where; only for those outside the house, which need a consent. */
  abroad?: string;
}

export const providers: Record<string, ProviderName> = {
  gemini: { name: 'Gemini', abroad: 'Google, nos Estados Unidos' },
  openrouter: { name: 'OpenRouter', abroad: 'OpenRouter, nos Estados Unidos, que repassa a outras empresas' },
  openai: { name: 'OpenAI', abroad: 'OpenAI, nos Estados Unidos' },
  anthropic: { name: 'Anthropic', abroad: 'Anthropic, nos Estados Unidos' },
  offline: { name: 'leitura local' },
  document: { name: 'próprio documento' },
};

/** The provider's name, or its own where we have none. */
export const providerName = (key: string): string => providers[key]?.name ?? key;
