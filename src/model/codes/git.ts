import { type CodeEntry, EXIT } from '../exit.ts';

/** Codes raised by the git room. */
export const GIT_CODES = {
  E_GIT_MISSING: {
    title: 'git is not installed',
    exit: EXIT.notFound,
    explain:
      'dispatch runs the git program that is on the PATH, on the controller and on every node. Install it (apt install git, brew install git) and check with `git --version`; 2.38 is the oldest that will do.',
  },
  E_GIT_FAILED: {
    title: 'git ended in a way that nothing explains',
    exit: EXIT.internal,
    explain:
      'A call of git in a repository of dispatch was killed, took too long or failed; the message has its own words. Nothing is half done: what has to be done is asked for again with the same commits, and a lock file that a dead git left is removed. When it repeats, look at the memory and the disk of this machine.',
  },
  E_GIT_TOO_OLD: {
    title: 'git is too old',
    exit: EXIT.notFound,
    explain:
      'Merges are made without a working tree, by `git merge-tree --write-tree`, which came with git 2.38. Install a newer git from your distribution, its backports or Homebrew.',
  },
  E_REPO_MISSING: {
    title: "the project's repository is not there",
    exit: EXIT.notFound,
    explain:
      '`repo` in project.yaml names a directory or URL where git finds no repository. A relative path counts from the project.yaml it stands in. Try `git ls-remote <repo>`: it must list the target branch.',
  },
  E_REPO_EMPTY: {
    title: "the project's repository has no commit",
    exit: EXIT.notFound,
    explain:
      'Tasks start from the tip of the target branch, so that branch must have at least one commit. Make a first commit there, then start again.',
  },
  E_REPO_AUTH: {
    title: "no permission for the project's repository",
    exit: EXIT.auth,
    explain:
      'git reached the repository, or its host, and was turned away. dispatch never answers a question for a password: use a key in ssh-agent, a credential helper, or a directory that this user may read and write. Try `git ls-remote <repo>` from a shell without a terminal.',
  },
  E_REPO_UNREACHABLE: {
    title: "the project's repository did not answer",
    exit: EXIT.unreachable,
    explain:
      'The host of `repo` could not be reached, or the connection broke or took too long. Nothing is lost: finished work stays in the hub, and the same step is tried again.',
  },
  E_REPO_SHALLOW: {
    title: "the project's repository is a shallow clone",
    exit: EXIT.conflict,
    explain:
      'A shallow clone lacks the history that merges need. Complete it with `git fetch --unshallow` in that repository, or name the full repository as `repo`.',
  },
  E_REPO_FAILED: {
    title: "git failed on the project's repository",
    exit: EXIT.internal,
    explain:
      'git ended with an error that dispatch does not know; its own words are in the message. Run the same operation by hand to see more, for instance `git ls-remote <repo>`.',
  },
  E_TARGET_MISSING: {
    title: 'the target branch does not exist',
    exit: EXIT.notFound,
    explain:
      '`target` in project.yaml names a branch that the repository does not have. The message names the nearest branch that it has. Only branches count, not tags or commits.',
  },
  E_TARGET_REWOUND: {
    title: 'the target branch lost what it had',
    exit: EXIT.conflict,
    explain:
      'dispatch remembers where the target was when it last looked, or delivered, and the branch does not contain that any more: somebody pushed by force. Others may push as they like; only what is taken away is told. The merge queue stands still and nothing is delivered until you decide, since either choice can be wrong: what was taken away may be wanted, or not. The hub keeps every commit (`git -C .dispatch/repos/<project>.git log refs/dispatch/seen/<branch>`). When the branch contains it again, because somebody pushed it back, all goes on by itself. Otherwise `dispatch queue release <project> --accept-target` takes the branch as it is: the next `dispatch collect` merges what has landed into it again, and brings back what was taken away; what is to stay out is taken out with `dispatch revert <task>` before.',
  },
  E_TARGET_CHECKED_OUT: {
    title: 'the target branch is checked out in your working copy',
    exit: EXIT.conflict,
    explain:
      'dispatch never touches a working copy of yours, and moving a branch under one would make its files look modified. The result is put beside your branches as refs/dispatch/<project>; take it with `git merge --ff-only refs/dispatch/<project>` in that working copy, or switch it to another branch and run `dispatch collect` again.',
  },
  E_TARGET_CONFLICT: {
    title: 'the target branch conflicts with the merged work',
    exit: EXIT.conflict,
    explain:
      'Somebody changed the target branch in the same places as merged tasks did. The merged work is safe on the integration branch of the hub. Merge refs/dispatch/<project> into the target by hand, push it, and run `dispatch collect` again; or revert the change on the target.',
  },
  E_PUSH_REFUSED: {
    title: 'the repository refused the push',
    exit: EXIT.auth,
    explain:
      "The repository turned the push down: a hook, a protected branch, a quota or missing rights. The remote's words are in the message. dispatch never forces a push; change the rule, or let the target be a branch that may be pushed to.",
  },
  E_BUNDLE_MISMATCH: {
    title: 'a node delivered something other than it announced',
    exit: EXIT.conflict,
    explain:
      'The objects that came from a node are damaged, incomplete, fail `git fsck`, do not contain the announced commit, or that commit does not stand on the base the attempt was given. The result is not used.',
  },
  E_HUB_BROKEN: {
    title: "dispatch's own repository is damaged",
    exit: EXIT.internal,
    explain:
      'The bare repository under .dispatch/repos/ is not what dispatch left there. Move it away and run the command again: it is rebuilt from your repository; results not yet landed are still on the nodes and are fetched again.',
  },
  E_MERGE_UNSOUND: {
    title: 'a merge changed files that the branch did not',
    exit: EXIT.internal,
    explain:
      'After every merge the changed files are compared with those of the branch. They differ, so the merge would have undone or moved the work of others; it was not landed. This is a defect: report the printed text.',
  },
} as const satisfies Record<`E_${string}`, CodeEntry>;
