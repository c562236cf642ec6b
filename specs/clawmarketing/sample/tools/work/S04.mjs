const auth = `import { ClientError } from './errors.js';

/** Who may do what, by token. */
const ROLES = new Map([
  ['reader-token', 'reader'],
  ['editor-token', 'editor'],
]);

/** Lets a handler run only with a token of this role. */
export function requireRole(role, handler) {
  return (request) => {
    const token = request.headers.authorization?.replace(/^Bearer /, '');
    const has = ROLES.get(token);
    if (has === undefined) throw new ClientError(401, 'no_token', 'a token is needed');
    if (has !== role) throw new ClientError(403, 'wrong_role', \`this needs the role \${role}\`);
    return handler(request);
  };
}
`;

export function work({ round, read }) {
  const router = read('backend/router.js');
  const guard = "    if (request.headers?.authorization === undefined) return { status: 401, body: {} };\n";
  const files = { 'backend/auth.js': auth };
  if (round === 1) {
    // Wrong: guards every route, the public ones included. The suite notices.
    files['backend/router.js'] = router.replace('    try {\n', `${guard}    try {\n`);
  } else {
    files['backend/router.js'] = router.replace(guard, '');
  }
  return { say: round === 1 ? 'roles, with a guard on every route' : 'public routes are public again', files };
}
