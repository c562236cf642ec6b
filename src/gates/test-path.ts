/** True for a path that holds tests or what they need, by the conventions of the common languages. */
export function isTestPath(path: string): boolean {
  return /(?:^|\/)(?:tests?|__tests__|specs?|fixtures?|mocks?|__mocks__|fakes?|testing|testdata)\/|[._-](?:tests?|spec|mock|fake|stories|bench)\.[^/]+$|(?:^|\/)(?:test_[^/]*|conftest)\.py$|Tests?\.(?:java|kt|cs|swift)$/.test(
    path,
  );
}
