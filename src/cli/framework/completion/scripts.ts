/**
 * What shells run when somebody types a tab. The scripts know nothing of the commands: they ask the program, so that they
 * fit whatever version of it is there.
 */
import type { Candidates } from './candidates.ts';

/** `PROGRAM __complete WORD...` prints what may come next. No command has this name, and no help speaks of it. */
export const COMPLETE = '__complete';
const FILES = ':files';

/** A line for each word, and one for names of files. */
export function spelt({ words, files }: Candidates): string[] {
  return [...words.map(([word, help]) => `${word}\t${help}`), ...(files ? [FILES] : [])];
}

const BASH = `# bash completion of NAME: eval "$(NAME completion bash)"
_FUNCTION() {
    local word
    COMPREPLY=()
    while IFS=$'\\t' read -r word _; do
        if [ "$word" = ${FILES} ]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]#=}")
        else COMPREPLY+=("$word"); fi
    done < <("\${COMP_WORDS[0]}" ${COMPLETE} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _FUNCTION NAME
`;

const ZSH = `#compdef NAME
# zsh completion of NAME: eval "$(NAME completion zsh)", after compinit; or as _NAME in a folder of fpath
_FUNCTION() {
    local word help files=
    local -a found
    while IFS=$'\\t' read -r word help; do
        if [[ $word == ${FILES} ]]; then files=yes; else found+=("\${word//:/\\\\:}:$help"); fi
    done < <("\${words[1]}" ${COMPLETE} "\${(@)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)
    (( $#found )) && _describe NAME found
    [[ -n $files ]] && _files
}
if [[ "\${funcstack[1]}" == _NAME ]]; then _FUNCTION "$@"; else compdef _FUNCTION NAME; fi
`;

const FISH = `# fish completion of NAME: NAME completion fish | source
function __FUNCTION
    set -l words (commandline -opc) (commandline -ct)
    set -l found ($words[1] ${COMPLETE} $words[2..-1] 2>/dev/null)
    for line in $found
        switch "$line"
            case ${FILES}
                __fish_complete_path (commandline -ct)
            case '*'
                echo $line
        end
    end
end
complete -c NAME -f -a '(__FUNCTION)'
`;

export const SHELLS = { bash: BASH, zsh: ZSH, fish: FISH } as const;
export type ShellName = keyof typeof SHELLS;

export function completionScript(shell: ShellName, name: string): string {
  return SHELLS[shell].replaceAll('FUNCTION', `complete_${name.replaceAll('-', '_')}`).replaceAll('NAME', name);
}
