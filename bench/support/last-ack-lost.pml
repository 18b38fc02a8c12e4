/*
 * The question last-ack-lost (src/prove/questions.ts) for Spin: a client and a server, one connection, one segment of
 * data each way, one segment that may stray; a state machine after RFC 9293 in the place of the whole endpoint. Time
 * and network as docs/prove.md has them.
 */
#ifndef TIME_WAIT
#define TIME_WAIT 4
#endif
#define MSL 2
#define RTO 2
#define NONE 255

/* Flags. A segment's number: 0 is the SYN, 1 the data, 2 the FIN. */
#define SYN 1
#define ACK 2
#define FIN 4
#define RST 8
#define DATA 16

mtype = { Closed, Listen, SynSent, SynReceived, Established, FinWait1, FinWait2, Closing, CloseWait, LastAck, TimeWait };

typedef End {
  mtype state;
  byte una, nxt, rcv;
  byte timer, tw;
  byte pc;
  bool shut, wrote, reset
}

End end[2];
chan to[2] = [10] of { byte, byte, byte };
byte strays = 1;
/* The segment that has strayed, and where it goes; flags 0: there is none. */
byte sf, ss, sa, sto, sleft;

byte f, s, a, i;

inline send(host, flags, number) { to[1 - host] ! flags, number, end[host].rcv }

/* What is to be sent, and may be. */
inline transmit(host) {
  if
  :: end[host].wrote && end[host].nxt == 1 && end[host].una >= 1 && (end[host].state == Established || end[host].state == CloseWait || end[host].state == FinWait1 || end[host].state == LastAck) ->
     send(host, ACK + DATA, 1); end[host].nxt = 2;
     if :: end[host].timer == NONE -> end[host].timer = RTO :: else fi
  :: else
  fi;
  if
  :: end[host].shut && end[host].nxt == 2 && end[host].una >= 1 ->
     send(host, ACK + FIN, 2); end[host].nxt = 3;
     if :: end[host].timer == NONE -> end[host].timer = RTO :: else fi
  :: else
  fi
}

inline close_now(host) { end[host].state = Closed; end[host].timer = NONE; end[host].tw = NONE }

inline time_wait(host) {
  end[host].timer = NONE;
  if
  :: TIME_WAIT == 0 -> close_now(host)
  :: else -> end[host].state = TimeWait; end[host].tw = TIME_WAIT
  fi
}

/* A segment f, s, a arrives at a host. */
inline arrive(host) {
  if
  :: end[host].state == Closed ->
     if
     :: (f & RST) == 0 && (f & ACK) != 0 -> to[1 - host] ! RST, a, 0
     :: (f & RST) == 0 && (f & ACK) == 0 -> to[1 - host] ! RST + ACK, 0, s + 1
     :: else
     fi
  :: end[host].state == Listen ->
     if
     :: (f & (SYN + ACK + RST)) == SYN ->
        end[host].state = SynReceived; end[host].rcv = 1; send(host, SYN + ACK, 0);
        end[host].nxt = 1; end[host].timer = RTO
     :: (f & RST) == 0 && (f & ACK) != 0 -> to[1 - host] ! RST, a, 0
     :: else
     fi
  :: end[host].state == SynSent ->
     if
     :: (f & (SYN + ACK + RST)) == SYN + ACK && a == 1 ->
        end[host].una = 1; end[host].rcv = 1; end[host].timer = NONE;
        end[host].state = Established; send(host, ACK, 1); transmit(host)
     :: (f & RST) != 0 && a == 1 -> close_now(host); end[host].reset = true
     :: else
     fi
  :: else ->
     if
     :: (f & RST) != 0 ->
        if
        :: s == end[host].rcv && end[host].state != TimeWait -> close_now(host); end[host].reset = true
        :: else
        fi
     :: (f & RST) == 0 && (f & SYN) != 0 ->
        if
        :: end[host].state == SynReceived -> send(host, SYN + ACK, 0)
        :: else -> send(host, ACK, end[host].nxt)
        fi
     :: (f & (RST + SYN)) == 0 ->
        if
        :: a > end[host].una && a <= end[host].nxt ->
           end[host].una = a;
           if
           :: end[host].state == SynReceived -> end[host].state = Established
           :: else
           fi;
           if
           :: end[host].una == end[host].nxt -> end[host].timer = NONE
           :: else -> end[host].timer = RTO
           fi
        :: else
        fi;
        if
        :: end[host].una == 3 && end[host].state == FinWait1 -> end[host].state = FinWait2
        :: end[host].una == 3 && end[host].state == Closing -> time_wait(host)
        :: end[host].una == 3 && end[host].state == LastAck -> close_now(host)
        :: else
        fi;
        if
        :: (f & (DATA + FIN)) != 0 && end[host].state != Closed && end[host].state != SynReceived ->
           if
           :: s == end[host].rcv ->
              end[host].rcv = s + 1;
              if
              :: (f & FIN) != 0 && end[host].state == Established -> end[host].state = CloseWait
              :: (f & FIN) != 0 && end[host].state == FinWait1 -> end[host].state = Closing
              :: (f & FIN) != 0 && end[host].state == FinWait2 -> time_wait(host)
              :: else
              fi
           :: s != end[host].rcv && end[host].state == TimeWait -> end[host].tw = TIME_WAIT
           :: else
           fi;
           send(host, ACK, end[host].nxt)
        :: else
        fi;
        if
        :: end[host].state != Closed -> transmit(host)
        :: else
        fi
     fi
  fi;
  f = 0; s = 0; a = 0
}

/* The oldest segment that is not acknowledged goes again. */
inline again(host) {
  end[host].timer = RTO;
  if
  :: end[host].state == SynSent -> send(host, SYN, 0)
  :: end[host].state == SynReceived -> send(host, SYN + ACK, 0)
  :: end[host].una == 1 -> send(host, ACK + DATA, 1)
  :: else -> send(host, ACK + FIN, 2)
  fi
}

inline shut_down(host) {
  end[host].shut = true;
  if
  :: end[host].state == Established -> end[host].state = FinWait1
  :: end[host].state == CloseWait -> end[host].state = LastAck
  :: else
  fi;
  transmit(host)
}

#define connected(host) (end[host].state != Closed && end[host].state != Listen && end[host].state != SynSent && end[host].state != SynReceived)
#define due(host) (end[host].timer == 0 || end[host].tw == 0)
#define is_over(host) (end[host].pc == 6 && (end[host].state == Closed || end[host].state == Listen))

inline no_late_stray() {
  if :: sf != 0 && sleft == 0 -> sf = 0; ss = 0; sa = 0; sto = 0 :: else fi
}

inline older(clock) { if :: clock != NONE -> clock-- :: else fi }

init {
  d_step {
    end[0].state = Closed; end[1].state = Listen;
    end[0].timer = NONE; end[1].timer = NONE; end[0].tw = NONE; end[1].tw = NONE
  }
  do
  /* The client: connect, write, shutdown, read, read the end, look at SO_ERROR and close. */
  :: d_step { end[0].pc == 0 -> end[0].pc = 1; end[0].state = SynSent; send(0, SYN, 0); end[0].nxt = 1; end[0].timer = RTO }
  :: d_step { end[0].pc == 1 && connected(0) -> end[0].pc = 2; end[0].wrote = true; transmit(0) }
  :: d_step { end[0].pc == 2 -> end[0].pc = 3; shut_down(0) }
  :: d_step { end[0].pc == 3 && end[0].rcv >= 2 -> end[0].pc = 4 }
  :: d_step { end[0].pc == 4 && end[0].rcv == 3 -> end[0].pc = 5 }
  :: d_step { end[0].pc == 5 -> assert(!end[0].reset); end[0].pc = 6 }
  /* The server: accept, write, read, read the end, shutdown, look at SO_ERROR and close. */
  :: d_step { end[1].pc == 0 && connected(1) -> end[1].pc = 1 }
  :: d_step { end[1].pc == 1 -> end[1].pc = 2; end[1].wrote = true; transmit(1) }
  :: d_step { end[1].pc == 2 && end[1].rcv >= 2 -> end[1].pc = 3 }
  :: d_step { end[1].pc == 3 && end[1].rcv == 3 -> end[1].pc = 4 }
  :: d_step { end[1].pc == 4 -> end[1].pc = 5; shut_down(1) }
  :: d_step { end[1].pc == 5 -> assert(!end[1].reset); end[1].pc = 6 }
  /* The network: the first on its way arrives, or strays. */
  :: d_step { nempty(to[0]) -> to[0] ? f, s, a; arrive(0) }
  :: d_step { nempty(to[1]) -> to[1] ? f, s, a; arrive(1) }
  :: d_step { nempty(to[0]) && strays > 0 -> to[0] ? sf, ss, sa; sto = 0; sleft = MSL; strays-- }
  :: d_step { nempty(to[1]) && strays > 0 -> to[1] ? sf, ss, sa; sto = 1; sleft = MSL; strays-- }
  :: d_step { sf != 0 && sto == 0 -> f = sf; s = ss; a = sa; sf = 0; ss = 0; sa = 0; sleft = 0; arrive(0) }
  :: d_step { sf != 0 && sto == 1 -> f = sf; s = ss; a = sa; sf = 0; ss = 0; sa = 0; sto = 0; sleft = 0; arrive(1) }
  /* Timers. */
  :: d_step { end[0].timer == 0 -> no_late_stray(); again(0) }
  :: d_step { end[1].timer == 0 -> no_late_stray(); again(1) }
  :: d_step { end[0].tw == 0 -> no_late_stray(); close_now(0) }
  :: d_step { end[1].tw == 0 -> no_late_stray(); close_now(1) }
  /* Time goes by. */
  :: d_step { empty(to[0]) && empty(to[1]) && !due(0) && !due(1) && !(is_over(0) && is_over(1)) ->
       no_late_stray();
       if :: sf != 0 -> sleft-- :: else fi;
       older(end[0].timer); older(end[1].timer); older(end[0].tw); older(end[1].tw)
     }
  :: is_over(0) && is_over(1) && empty(to[0]) && empty(to[1]) -> break
  od
}
