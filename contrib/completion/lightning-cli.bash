# Completion of lightning-cli for bash: source this file, or copy it to
# /usr/share/bash-completion/completions/lightning-cli
#
# Commands are asked of the running node, so plugins' commands are there too.

_lightning_cli_commands() {
    # $@: the options given so far, so that the right node is asked.
    lightning-cli "$@" -N none -J help 2>/dev/null |
        sed -n 's/^ *"command": "\([a-z0-9_-]*\).*/\1/p'
}

_lightning_cli() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
    COMPREPLY=()

    case $prev in
    --network)
        mapfile -t COMPREPLY < <(compgen -W "bitcoin testnet testnet4 signet regtest" -- "$cur")
        return
        ;;
    --lightning-dir)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    --conf | --rpc-file)
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
        return
        ;;
    -N | --notifications)
        mapfile -t COMPREPLY < <(compgen -W "io trace debug info unusual broken none" -- "$cur")
        return
        ;;
    esac

    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "--conf --lightning-dir --network --mainnet --testnet --testnet4
            --signet --regtest --rpc-file --help --human-readable --flat --json --raw --keywords --order
            --notifications --filter --commando --version" -- "$cur")
        return
    fi

    # The first word that is no option is the command; complete it, and the one after `help`.
    local word command="" options=()
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
        --lightning-dir=* | --network=* | --conf=* | --rpc-file=* | --mainnet | --testnet | --testnet4 | \
            --signet | --regtest) options+=("$word") ;;
        -*) ;;
        *) command=$word ;;
        esac
    done
    if [[ -z $command || $command == help ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_lightning_cli_commands "${options[@]}")" -- "$cur")
    fi
}

complete -o default -F _lightning_cli lightning-cli
