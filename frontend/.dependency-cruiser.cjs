/** Who may import whom: app > features > ui, lib, api; features never import each other. */
module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    {
      name: 'features-are-islands',
      comment: 'Pages meet in app/ only; what two features share lives in ui/, lib/ or api/.',
      severity: 'error',
      from: { path: '^frontend/src/features/([^/]+)/' },
      to: { path: '^frontend/src/features/([^/]+)/', pathNot: '^frontend/src/features/$1/' },
    },
    { name: 'features-below-app', severity: 'error', from: { path: '^frontend/src/(features|ui|lib|api)/' }, to: { path: '^frontend/src/app/' } },
    { name: 'shared-below-features', severity: 'error', from: { path: '^frontend/src/(ui|lib|api)/' }, to: { path: '^frontend/src/features/' } },
    { name: 'lib-is-pure', severity: 'error', from: { path: '^frontend/src/lib/', pathNot: '\\.test\\.' }, to: { path: '^frontend/src/(ui|api)/' } },
    { name: 'api-below-ui', severity: 'error', from: { path: '^frontend/src/api/' }, to: { path: '^frontend/src/ui/' } },
    {
      name: 'every-file-has-a-place',
      comment: 'A new folder under src/ must be given a place in these rules first.',
      severity: 'error',
      from: { path: '^frontend/src/' },
      to: { path: '^frontend/src/', pathNot: '^frontend/src/(app|features|ui|lib|api)/' },
    },
    { name: 'not-to-dev', severity: 'error', from: { path: '^frontend/src/', pathNot: '(\\.test\\.|test-setup|env\\.d)' }, to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'schema\\.d\\.ts$' },
    tsPreCompilationDeps: true,
    // Absolute: a relative name would have its `include` read from the working folder.
    tsConfig: { fileName: require('node:path').join(__dirname, 'tsconfig.json') },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'browser', 'default', 'types'], mainFields: ['module', 'main', 'types'] },
  },
}
