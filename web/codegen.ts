import type { CodegenConfig } from '@graphql-codegen/cli';

// Types and documents of every *.graphql file under src, from the server's own schema files: what does not fit fails here.
const config: CodegenConfig = {
  schema: '../graph/*.graphqls',
  documents: 'src/**/*.graphql',
  generates: {
    'src/graphql/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        enumsAsTypes: true,
        useTypeImports: true,
        strictScalars: true,
        scalars: {
          Date: 'string',
          DateTime: 'string',
          // A string on purpose: a number of JavaScript would round it.
          Decimal: 'string',
          JSON: 'unknown',
          Upload: 'Blob',
        },
      },
    },
  },
};

export default config;
